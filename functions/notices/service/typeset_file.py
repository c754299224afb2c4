"""The second step of a batch: the letters of a file are typeset."""

from pathlib import Path
from tempfile import TemporaryDirectory

from functions.notices.domain.letter import letter_of
from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.render.letters import typeset_letters
from functions.notices.repository import batches
from functions.notices.schemas import LetterFilePart
from functions.notices.service.batches import PDF
from functions.notices.service.templates import template_fault, template_text
from shared import jobs, storage
from shared.counties.notice_county import notice_county
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.problems import Conflict, Unprocessable
from shared.typesetting.isolated import TypesettingError


def letter_filename(file_no: int) -> str:
    """The name of a file of letters."""
    return f"letters-{file_no:04}.pdf"


def typeset_file(job: RunningJob, _number: int, part: LetterFilePart) -> None:
    """Typeset a file of letters, store it, and note the pages on which they begin. Idempotent: the same bytes.

    Raises Conflict where another batch has taken the notices over, Unprocessable for a template that fails on them.
    """
    generated_at = jobs.get(job.county_id, NOTICE_BATCH, job.job_id).created_at
    with unit_of_work(job.county_id) as connection:
        county = notice_county(connection, job.county_id)
        template = template_text(connection, job.county_id, part.template_version)
        values = batches.letters_of_file(connection, job.county_id, job.job_id, part.file_no)
    if len(values) != part.letters:
        raise taken_over()
    letters = [letter_of(each, county) for each in values]
    filename = letter_filename(part.file_no)
    title = f"Notices of Change of Value {values[0].roll_year}"
    with TemporaryDirectory() as folder:
        path = Path(folder, filename)
        try:
            pages = typeset_letters(letters, template, title, generated_at, path)
        except TypesettingError as error:
            fault = template_fault(error)
            line = f" (line {fault.line})" if fault.line else ""
            raise Unprocessable(
                f"Version {part.template_version} of the template cannot be typeset with the letters of file"
                f" {part.file_no}{line}: {fault.detail}",
                slug="template-invalid",
            ) from None
        storage.put_file(job.key(filename), path, PDF)
    with unit_of_work(job.county_id) as connection:
        batches.set_pages(connection, job.county_id, job.job_id, part.file_no, pages)


def taken_over() -> Conflict:
    """The problem of a batch that had failed, and whose properties another batch has noticed since."""
    return Conflict(
        "This batch had failed, and another one has taken its properties over: ask for a new batch.",
        slug="batch-taken-over",
    )
