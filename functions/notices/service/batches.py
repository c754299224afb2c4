"""Batches of notices: which may be asked for, and their files."""

from uuid import UUID

from functions.notices.domain.mailing_day import require_mailing_day
from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.repository import batches
from functions.notices.schemas import LetterFile, NoticeBatchRequest
from shared import jobs
from shared.counties.notice_county import notice_county
from shared.db import unit_of_work
from shared.jobs.download import StoredFile, file_address
from shared.problems import Conflict, NotFound, Unprocessable

PDF = "application/pdf"


def require_mailable(county_id: str, request: NoticeBatchRequest) -> None:
    """Raise where a batch cannot be made: a day that is closed, a roll that is not there, a board that is not named."""
    with unit_of_work(county_id) as connection:
        county = notice_county(connection, county_id)
        years = batches.roll_years(connection, county_id, request.roll_year)
    require_mailing_day(county.settings, request.mailed_on, county.today())
    if request.areas is not None and request.area is None:
        raise Unprocessable("Say in `area` what the areas are.", pointer="/areas", slug="area-missing")
    if county.settings.board is None:
        raise Conflict(
            "A notice names the board that hears appeals: name it in the county's configuration"
            " (plugin_settings.notices.board).",
            slug="board-not-configured",
        )
    previous_year_of(years, request.roll_year)


def previous_year_of(years: list[int], roll_year: int) -> int:
    """The year of the roll before; `years` are the newest ones up to the roll's. Raises Unprocessable without one."""
    if not years or years[0] != roll_year:
        raise _refused(f"There is no roll of {roll_year}.", "roll-not-found")
    if len(years) == 1:
        raise _refused(f"There is no roll before {roll_year} to compare it with.", "no-roll-before")
    return years[1]


def files(county_id: str, batch_id: UUID) -> list[LetterFile]:
    """The files of a batch that has ended. Raises NotFound, Conflict before its end."""
    return jobs.results(county_id, NOTICE_BATCH, batch_id).files


def address_of(county_id: str, batch_id: UUID, file_no: int) -> str:
    """The signed address of a file of letters. Raises NotFound, Conflict before the batch's end, Gone."""
    for file in files(county_id, batch_id):
        if file.file_no == file_no:
            stored = StoredFile(filename=file.filename, content_type=PDF, size_bytes=file.size_bytes)
            return file_address(county_id, batch_id, stored)
    raise NotFound(f"The batch {batch_id} has no file {file_no}.", slug="letter-file-not-found")


def _refused(detail: str, slug: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/roll_year", slug=slug)
