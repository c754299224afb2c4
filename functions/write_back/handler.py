"""Routes of write-backs."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.write_back.job_kinds import WRITE_BACK
from functions.write_back.schemas import RowOutcome, WriteBackRow
from functions.write_back.service import requests
from shared.api import Api, Operation, answer, declare_job_routes, see_other
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("write_back")
handler = api.handler

declare_job_routes(
    api,
    WRITE_BACK,
    submit=Operation(
        "write_back_values",
        "Take decided values back to the county's system",
        "A script or a file, as the mapping's `write_back` says, of the values of an approved run or of a closed roll\n"
        "that the county's system does not have yet. The system is read anew, and never written to from here.",
    ),
    check=requests.check,
    get=Operation("get_write_back", "A write-back's progress", "The job of a write-back."),
    results=Operation(
        "get_write_back_results", "The results of a write-back", "Numbers of rows and values, and the file."
    ),
)


@api.get(f"{WRITE_BACK.path}/rows", permission=WRITE_BACK.view, summary="The values of a write-back")
def list_write_back_rows(
    county_id: str,
    write_back_id: UUID,
    outcome: Annotated[RowOutcome | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[WriteBackRow]]:
    """Each value with its row's key, the value that was read and the one that is written, or why it is not.

    409 until the job has succeeded.
    """
    page = requests.rows(county_id, write_back_id, outcome, page_size=page_size, page_token=page_token)
    return answer(page)


@api.get(f"{WRITE_BACK.path}/download", permission=WRITE_BACK.view, summary="Take a write-back's file", status=303)
def download_write_back(county_id: str, write_back_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the script or file that holds for 15 minutes. 409 for a dry run."""
    return see_other(requests.file_address_of(county_id, write_back_id))
