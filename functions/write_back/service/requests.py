"""The checks of a request for a write-back, and looking at one."""

from uuid import UUID

from sqlalchemy import Connection

from functions.write_back import repository
from functions.write_back.job_kinds import WRITE_BACK
from functions.write_back.repository import Selection
from functions.write_back.schemas import RowOutcome, WriteBackRequest, WriteBackRow
from shared import jobs
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.download import file_address
from shared.mapping import CountyMapping, parse_mapping
from shared.mapping.language.write_back import WriteBack
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, Unprocessable
from shared.rolls.closing import ROLL_TABLES, closed_rolls


def check(county_id: str, request: WriteBackRequest) -> None:
    """Raise where a write-back cannot be made: as `selection` and `way_back` do."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        selection(connection, county_id, request)
        way_back(parse_mapping(repository.county(connection, county_id)[1]), request)


def way_back(mapping: CountyMapping, request: WriteBackRequest) -> WriteBack:
    """The way back of a mapping. Raises Conflict where it has none, Unprocessable where it has none of a roll."""
    if mapping.write_back is None:
        raise Conflict("The county's mapping has no write_back: it says nothing of the way back.", slug="no-write-back")
    tables = [way.target_table_name for way in mapping.write_back.tables]
    if request.roll_year is not None and not set(tables) & set(ROLL_TABLES):
        raise Unprocessable(
            f"The county's write_back has {', '.join(tables)} and no table of a roll ({', '.join(ROLL_TABLES)}).",
            pointer="/roll_year",
            slug="no-write-back-of-rolls",
        )
    return mapping.write_back


def selection(connection: Connection, county_id: str, request: WriteBackRequest) -> Selection:
    """The decisions of an approved run, or of a closed roll. Raises Unprocessable where there is no such thing."""
    if request.valuation_run_id is not None:
        approvals = repository.standing_approvals(connection, county_id, request.valuation_run_id)
        if not approvals:
            raise Unprocessable(
                f"{county_id} has no approved valuation run {request.valuation_run_id}.",
                pointer="/valuation_run_id",
                slug="run-not-approved",
            )
        return Selection(approvals=approvals)
    roll_year = request.roll_year or 0
    if not closed_rolls(connection, county_id, [roll_year]):
        raise Unprocessable(
            f"The roll of {roll_year} is not closed: its values may still change.",
            pointer="/roll_year",
            slug="roll-not-closed",
        )
    return Selection(roll_year=roll_year)


def rows(
    county_id: str, write_back_id: UUID, outcome: RowOutcome | None, *, page_size: int, page_token: str | None
) -> Page[WriteBackRow]:
    """A page of the values of a write-back that has succeeded. Raises NotFound, Conflict, BadRequest."""
    query = [county_id, str(write_back_id), outcome]
    after = decode_token(query, page_token, int)
    status = jobs.get(county_id, WRITE_BACK, write_back_id).status
    if status != "succeeded":
        raise Conflict(f"The job is {status}: there are no rows to show.", slug="job-not-succeeded")
    with unit_of_work(county_id) as connection:
        found = repository.page_of_rows(
            connection, county_id, write_back_id, outcome, after=after[0] if after else 0, limit=page_size + 1
        )
    items, more = found[:page_size], len(found) > page_size
    token = encode_token(query, [str(items[-1].row_no)]) if more else None
    return Page(items=items, next_page_token=token)


def file_address_of(county_id: str, write_back_id: UUID) -> str:
    """A signed address of the file. Raises NotFound, Conflict for a job without one, Gone."""
    results = jobs.results(county_id, WRITE_BACK, write_back_id)
    if results.file is None:
        raise Conflict("This was a dry run, which makes no file.", slug="dry-run")
    return file_address(county_id, write_back_id, results.file)
