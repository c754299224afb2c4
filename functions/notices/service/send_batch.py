"""The last step of a batch: its notices are sent ones from here on, and the print shop's list is written."""

from pathlib import Path
from tempfile import TemporaryDirectory

from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.repository import batches, listing
from functions.notices.repository.batches import TypesetFile
from functions.notices.schemas import LetterFile, NoticeBatchRequest, NoticeBatchResults
from functions.notices.service.batch_plan import kept_plan
from functions.notices.service.typeset_file import letter_filename, taken_over
from shared import audit, storage
from shared.csv_export.query import export_csv
from shared.csv_export.tables import CSV
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import StoredFile, store_file

_PRINT_LIST = "print-list.csv"


def send_batch(job: RunningJob) -> NoticeBatchResults:
    """End a batch. Idempotent: notices that were sent stay as they are.

    Raises Conflict where another batch has taken its notices over, or somebody has cancelled it.
    """
    request, plan = NoticeBatchRequest.model_validate(job.parameters), kept_plan(job)
    with unit_of_work(job.county_id) as connection:
        batches.lock(connection, job.county_id, request.roll_year)
        job.commit(connection)
        files = batches.typeset_files(connection, job.county_id, job.job_id)
        if sum(file.letters for file in files) != plan.letters:
            raise taken_over()
        if batches.send(connection, job.county_id, job.job_id):
            details = {
                "roll_year": request.roll_year,
                "mailed_on": request.mailed_on.isoformat(),
                "letters": plan.letters,
            }
            subject = NOTICE_BATCH.subject(job.job_id)
            audit.record(connection, job.county_id, job.submitted_by, "notice_batch.sent", subject, details)
        held_back = batches.held_back(connection, job.county_id, job.job_id)
        replaced = batches.count_replaced(connection, job.county_id, job.job_id)
    return NoticeBatchResults.model_validate(
        {
            "roll_year": request.roll_year,
            "previous_year": plan.previous_year,
            "mailed_on": request.mailed_on,
            "deadline": plan.deadline,
            "template_version": plan.template_version,
            "letters": plan.letters,
            "superseded": replaced,
            "held_back": held_back,
            "skipped": plan.skipped,
            "files": [_letter_file(job, file) for file in files],
            "file": _store_print_list(job),
        }
    )


def _store_print_list(job: RunningJob) -> StoredFile:
    with TemporaryDirectory() as folder, unit_of_work(job.county_id) as connection:
        path = Path(folder, _PRINT_LIST)
        export_csv(connection, listing.print_list_sql(job.county_id, job.job_id), path)
        return store_file(job, path, _PRINT_LIST, CSV)


def _letter_file(job: RunningJob, file: TypesetFile) -> LetterFile:
    filename = letter_filename(file.file_no)
    return LetterFile(
        file_no=file.file_no,
        filename=filename,
        area=file.area,
        letters=file.letters,
        size_bytes=storage.find(job.key(filename)).size,
    )
