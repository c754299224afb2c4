"""Routes of syncs."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.sync.schemas import RejectedRow, RowChange, SyncRequest, SyncRun
from functions.sync.service import requests
from shared.access import Permission
from shared.api import Api, accepted, answer
from shared.jobs.schemas import Job, JobStatus
from shared.paging import Page, PageSize

api = Api("sync")
handler = api.handler

_RUNS = "/v1/counties/{county_id}/sync-runs"
_ONE = _RUNS + "/{run_id}"
PageToken = Annotated[str | None, Query()]


@api.post(_RUNS, permission=Permission.RUN_SYNC, summary="Start a sync")
def start_run(county_id: str, request: SyncRequest) -> Response[Job]:
    """Reads the county's system and applies what differs; with validate_only it stops to be looked at first."""
    return accepted(requests.start(county_id, request, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_RUNS, permission=Permission.VIEW_SYNC, summary="Syncs, the newest first")
def list_runs(
    county_id: str,
    status: Annotated[JobStatus | None, Query()] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response[Page[SyncRun]]:
    """Every run of the county, or those with a status."""
    return answer(requests.page(county_id, status=status, page_size=page_size, page_token=page_token))


@api.get(_ONE, permission=Permission.VIEW_SYNC, summary="One sync")
def get_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """How far the run is, what it found in each table, and what made it wait or fail."""
    return answer(requests.get(county_id, run_id))


@api.get(_ONE + "/changes", permission=Permission.VIEW_SYNC, summary="What a sync changes")
def list_changes(
    county_id: str, run_id: UUID, page_size: PageSize = 100, page_token: PageToken = None
) -> Response[Page[RowChange]]:
    """Row by row and field by field: what a waiting run would do, or what an applied one did."""
    return answer(requests.changes_page(county_id, run_id, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/rejected-rows", permission=Permission.VIEW_SYNC, summary="Rows in quarantine")
def list_rejected_rows(
    county_id: str,
    run_id: UUID,
    table: Annotated[str | None, Query(max_length=100)] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RejectedRow]]:
    """The source's rows that this run could not take, with every reason. Unchanged partitions are not read again:
    their rows are listed with the run that read them.
    """
    return answer(requests.rejected_page(county_id, run_id, table=table, page_size=page_size, page_token=page_token))


@api.post(_ONE + "/approve", permission=Permission.APPROVE_SYNC, summary="Apply what was shown")
def approve_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Applies exactly the changes that were shown, or is refused where the data has moved on."""
    return answer(requests.approve(county_id, run_id, api.caller), 202)


@api.post(_ONE + "/cancel", permission=Permission.RUN_SYNC, summary="Drop a sync")
def cancel_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Drops a run that has not been applied; nothing of it remains but its record."""
    return answer(requests.cancel(county_id, run_id, api.caller))


@api.post(_ONE + "/resume", permission=Permission.RUN_SYNC, summary="Go on with a sync")
def resume_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Goes on with a run that failed or was cut short, with the partitions that are still to be done."""
    return answer(requests.resume(county_id, run_id, api.caller), 202)
