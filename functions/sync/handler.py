"""Routes of syncs."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.sync.schemas import (
    ApproveSync,
    Change,
    ChangeFilter,
    ChangeSummary,
    Finding,
    FindingFilter,
    FindingKind,
    MappingPreview,
    Partition,
    PreviewRequest,
    RejectedFilter,
    RejectedRow,
    ReplayRequest,
    RowChange,
    RowState,
    SyncRequest,
    SyncRun,
    TargetTable,
    WarnedRow,
)
from functions.sync.service import change_views, commands, mapping_preview, rejected_rows, run_views
from shared.access import Permission
from shared.api import Api, accepted, answer, from_query, see_other
from shared.jobs.schemas import Job, JobStatus
from shared.paging import Page, PageSize

api = Api("sync")
handler = api.handler

_RUNS = "/v1/counties/{county_id}/sync-runs"
_ONE = _RUNS + "/{run_id}"
_MAPPING = "/v1/counties/{county_id}/mapping"
PageToken = Annotated[str | None, Query()]
Filter = Annotated[str | None, Query(max_length=200)]
Table = Annotated[TargetTable | None, Query()]
State = Annotated[RowState | None, Query(description="open, or resolved by a later run")]


@api.post(_MAPPING + "/preview", permission=Permission.MANAGE_COUNTY, summary="Try a mapping on some rows")
def preview_mapping(county_id: str, request: PreviewRequest) -> Response[MappingPreview]:
    """What the mapping makes of some rows of the county's source, or of rows in the request: source, result and reasons
    side by side. Nothing is stored.
    """
    return answer(mapping_preview.preview(county_id, request))


@api.post(_RUNS, permission=Permission.RUN_SYNC, summary="Start a sync", status=202)
def start_run(county_id: str, request: SyncRequest) -> Response[Job]:
    """Reads the county's system and applies what differs; with validate_only it stops to be looked at first."""
    return accepted(commands.start(county_id, request, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_RUNS, permission=Permission.VIEW_SYNC, summary="Syncs, the newest first")
def list_runs(
    county_id: str,
    status: Annotated[JobStatus | None, Query()] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response[Page[SyncRun]]:
    """Every run of the county, or those with a status."""
    return answer(run_views.page(county_id, status=status, page_size=page_size, page_token=page_token))


@api.get(_ONE, permission=Permission.VIEW_SYNC, summary="One sync")
def get_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """How far the run is, what it found in each table, and what made it wait or fail."""
    return answer(run_views.get(county_id, run_id))


@api.get(_ONE + "/partitions", permission=Permission.VIEW_SYNC, summary="A sync's partitions")
def list_partitions(
    county_id: str,
    run_id: UUID,
    status: Annotated[Literal["pending", "done"] | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[Partition]]:
    """The key ranges that the run reads, what became of each, and why one failed."""
    return answer(
        run_views.partitions_page(county_id, run_id, status=status, page_size=page_size, page_token=page_token)
    )


@api.get(_ONE + "/changes", permission=Permission.VIEW_SYNC, summary="What a sync changes")
def list_changes(
    county_id: str,
    run_id: UUID,
    table: Table = None,
    change: Annotated[Change | None, Query()] = None,
    field: Annotated[str | None, Query(max_length=100, description="rows that differ in this field")] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RowChange]]:
    """Row by row and field by field: what a waiting run would do, or what an applied one did."""
    wanted = from_query(ChangeFilter, table=table, change=change, field=field)
    return answer(change_views.page(county_id, run_id, wanted, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/changes/summary", permission=Permission.VIEW_SYNC, summary="What a sync changes as a whole")
def summarize_changes(county_id: str, run_id: UUID) -> Response[ChangeSummary]:
    """Rows by table and field, and the roll's values by property class before and after."""
    return answer(change_views.summary(county_id, run_id))


@api.get(_ONE + "/rejected-rows", permission=Permission.VIEW_SYNC, summary="Rows in quarantine")
def list_rejected_rows(
    county_id: str,
    run_id: UUID,
    table: Table = None,
    rule: Filter = None,
    field: Filter = None,
    state: State = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RejectedRow]]:
    """The source's rows that this run could not take, with every reason, and what became of them since. Unchanged
    partitions are not read again: their rows are listed with the run that read them.
    """
    wanted = from_query(RejectedFilter, table=table, rule=rule, field=field)
    return answer(rejected_rows.page(county_id, run_id, wanted, state, page_size=page_size, page_token=page_token))


@api.get(
    _ONE + "/rejected-rows/export",
    permission=Permission.VIEW_SYNC,
    summary="Rows in quarantine as CSV",
    status=303,
)
def export_rejected_rows(
    county_id: str,
    run_id: UUID,
    table: Table = None,
    rule: Filter = None,
    field: Filter = None,
    state: State = None,
) -> Response[Any]:
    """Redirects to a CSV file: the reasons of each row, then the columns of the source as they were read."""
    wanted = from_query(RejectedFilter, table=table, rule=rule, field=field)
    return see_other(rejected_rows.export_url(county_id, run_id, wanted, state))


@api.get(_ONE + "/findings", permission=Permission.VIEW_SYNC, summary="What a sync found of single rows")
def list_findings(
    county_id: str,
    run_id: UUID,
    kind: Annotated[FindingKind | None, Query()] = None,
    table: Table = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[Finding]]:
    """Fields that were decided here and for which the source brings another value than before: there the source's
    value goes first. Also values that do not add up any more after that.
    """
    wanted = from_query(FindingFilter, kind=kind, table=table)
    return answer(rejected_rows.findings_page(county_id, run_id, wanted, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/warnings", permission=Permission.VIEW_SYNC, summary="Rows taken with a warning")
def list_warnings(
    county_id: str,
    run_id: UUID,
    table: Table = None,
    rule: Filter = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[WarnedRow]]:
    """The source's rows that break a rule of the county's that only warns. Unchanged partitions are not read again:
    their rows are listed with the run that read them.
    """
    return answer(
        rejected_rows.warnings_page(
            county_id, run_id, table=table, rule=rule, page_size=page_size, page_token=page_token
        )
    )


@api.post(
    _ONE + "/rejected-rows/replay",
    permission=Permission.RUN_SYNC,
    summary="Map rows in quarantine again",
    status=202,
)
def replay_rejected_rows(county_id: str, run_id: UUID, request: ReplayRequest) -> Response[Job]:
    """A run of its own takes the open rows as they were read, with the county's mapping of now; the source is not
    read. Rows that are good by now are applied, the others stay in quarantine with the reasons of now.
    """
    return accepted(commands.replay(county_id, run_id, request, caller=api.caller, idempotency_key=api.idempotency_key))


@api.post(_ONE + "/approve", permission=Permission.APPROVE_SYNC, summary="Apply what was shown", status=202)
def approve_run(
    county_id: str, run_id: UUID, request: Annotated[ApproveSync | None, Body()] = None
) -> Response[SyncRun]:
    """Applies exactly the changes that were shown, or is refused where the data has moved on. Rows of a closed roll
    become a numbered correction of it, with the reason that is given.
    """
    reason = request.reason if request is not None else None
    found = commands.approve(county_id, run_id, api.caller, reason)
    return answer(found, 202, location=found.links["self"])


@api.post(_ONE + "/cancel", permission=Permission.RUN_SYNC, summary="Drop a sync")
def cancel_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Drops a run that has not been applied; nothing of it remains but its record."""
    return answer(commands.cancel(county_id, run_id, api.caller))


@api.post(_ONE + "/resume", permission=Permission.RUN_SYNC, summary="Go on with a sync", status=202)
def resume_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Goes on with a run that failed or was cut short, with the partitions that are still to be done."""
    found = commands.resume(county_id, run_id, api.caller)
    return answer(found, 202, location=found.links["self"])
