"""Routes of syncs and of the mapping's preview."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.sync.job_kinds import SYNC
from functions.sync.schemas.runs import (
    ApproveSync,
    Change,
    ChangeFilter,
    ChangeSummary,
    ConfirmUpload,
    Finding,
    FindingFilter,
    FindingKind,
    Partition,
    RejectedFilter,
    RejectedRow,
    RejectUpload,
    ReplayRequest,
    RollBackRequest,
    RowChange,
    RowState,
    SyncRequest,
    SyncRun,
    TargetTable,
    WarnedRow,
)
from functions.sync.schemas.source_checks import MappingPreview, PreviewRequest, SourceCheck, SourceCheckRequest
from functions.sync.service import (
    change_views,
    commands,
    mapping_preview,
    rejected_rows,
    roll_backs,
    run_views,
    source_check,
    upload_runs,
)
from shared.access import Permission
from shared.api import Api, accepted, answer, from_query, see_other
from shared.api.paging import PageSize
from shared.jobs.schemas import Job, JobStatus
from shared.paging import Page
from shared.uploads.schemas import Upload

api = Api("sync")
handler = api.handler

_MAPPING = "/v1/counties/{county_id}/mapping"
_UPLOAD = "/v1/counties/{county_id}/uploads/{upload_id}"
PageToken = Annotated[str | None, Query()]
Filter = Annotated[str | None, Query(max_length=200)]
Table = Annotated[TargetTable | None, Query()]
State = Annotated[RowState | None, Query(description="open, or resolved by a later run")]


@api.post(_MAPPING + "/preview", permission=Permission.MANAGE_COUNTY, summary="Try a mapping on some rows")
def preview_mapping(county_id: str, request: PreviewRequest) -> Response[MappingPreview]:
    """Maps some rows of the county's source, or rows in the request: source, result and reasons side by side. Nothing
    is stored.
    """
    return answer(mapping_preview.preview(county_id, request))


@api.post(
    "/v1/counties/{county_id}/source-check", permission=Permission.MANAGE_COUNTY, summary="Check the county's source"
)
def check_source(county_id: str, request: SourceCheckRequest) -> Response[SourceCheck]:
    """Connects to the county's source and reads what a first sync would: each table's columns with their types, the
    number of its rows, whether its key is one, and what the mapping makes of some rows. Nothing is stored.
    """
    return answer(source_check.check(county_id, request))


@api.post(SYNC.collection_path, permission=SYNC.run, summary="Start a sync", status=202)
def start_run(county_id: str, request: SyncRequest) -> Response[Job]:
    """Reads the county's system and applies the differences; with validate_only it stops for approval first."""
    return accepted(commands.start(county_id, request, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(SYNC.collection_path, permission=SYNC.view, summary="Syncs, the newest first")
def list_runs(
    county_id: str,
    status: Annotated[JobStatus | None, Query()] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response[Page[SyncRun]]:
    """Every run of the county, or those with a status."""
    return answer(run_views.page(county_id, status=status, page_size=page_size, page_token=page_token))


@api.get(SYNC.path, permission=SYNC.view, summary="One sync")
def get_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Progress of the run, its results by table, and the reason for which it waits or failed."""
    return answer(run_views.get(county_id, run_id))


@api.get(SYNC.path + "/partitions", permission=SYNC.view, summary="A sync's partitions")
def list_partitions(
    county_id: str,
    run_id: UUID,
    status: Annotated[Literal["pending", "done"] | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[Partition]]:
    """The key ranges that the run reads, with the result or the error of each."""
    return answer(
        run_views.partitions_page(county_id, run_id, status=status, page_size=page_size, page_token=page_token)
    )


@api.get(SYNC.path + "/changes", permission=SYNC.view, summary="A sync's changes, row by row")
def list_changes(
    county_id: str,
    run_id: UUID,
    table: Table = None,
    change: Annotated[Change | None, Query()] = None,
    field: Annotated[str | None, Query(max_length=100, description="rows that differ in this field")] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RowChange]]:
    """Row by row and field by field: the changes that a waiting run would apply, or that an applied one did."""
    row_filter = from_query(ChangeFilter, table=table, change=change, field=field)
    return answer(change_views.page(county_id, run_id, row_filter, page_size=page_size, page_token=page_token))


@api.get(SYNC.path + "/changes/summary", permission=SYNC.view, summary="A sync's changes in sum")
def summarize_changes(county_id: str, run_id: UUID) -> Response[ChangeSummary]:
    """Rows by table and field, and the roll's values by property class before and after."""
    return answer(change_views.summary(county_id, run_id))


@api.get(SYNC.path + "/rejected-rows", permission=SYNC.view, summary="Rows in quarantine")
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
    """The source's rows that this run rejected, with every reason, and their resolution since. Unchanged
    partitions are not read again: their rows are listed with the run that read them.
    """
    row_filter = from_query(RejectedFilter, table=table, rule=rule, field=field)
    return answer(rejected_rows.page(county_id, run_id, row_filter, state, page_size=page_size, page_token=page_token))


@api.get(
    SYNC.path + "/rejected-rows/export",
    permission=SYNC.view,
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
    row_filter = from_query(RejectedFilter, table=table, rule=rule, field=field)
    return see_other(rejected_rows.export_url(county_id, run_id, row_filter, state))


@api.get(SYNC.path + "/findings", permission=SYNC.view, summary="A sync's findings on single rows")
def list_findings(
    county_id: str,
    run_id: UUID,
    kind: Annotated[FindingKind | None, Query()] = None,
    table: Table = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[Finding]]:
    """Fields with a decided value whose source value has changed: the source's value supersedes it. Also values that do
    not add up any more after that.
    """
    row_filter = from_query(FindingFilter, kind=kind, table=table)
    return answer(
        rejected_rows.findings_page(county_id, run_id, row_filter, page_size=page_size, page_token=page_token)
    )


@api.get(SYNC.path + "/warnings", permission=SYNC.view, summary="Rows taken with a warning")
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
    SYNC.path + "/rejected-rows/replay",
    permission=SYNC.run,
    summary="Map rows in quarantine again",
    status=202,
)
def replay_rejected_rows(county_id: str, run_id: UUID, request: ReplayRequest) -> Response[Job]:
    """A run of its own maps the open rows as they were read with the county's present mapping; the source is not read.
    Valid rows are applied, the others stay in quarantine with their present reasons.
    """
    return accepted(commands.replay(county_id, run_id, request, caller=api.caller, idempotency_key=api.idempotency_key))


@api.post(SYNC.path + "/approve", permission=Permission.APPROVE_SYNC, summary="Apply what was shown", status=202)
def approve_run(
    county_id: str, run_id: UUID, request: Annotated[ApproveSync | None, Body()] = None
) -> Response[SyncRun]:
    """Applies exactly the changes that were shown, or is refused where the data has moved on. Rows of a closed roll
    become a numbered correction of it, with the reason that is given.
    """
    reason = request.reason if request is not None else None
    run = commands.approve(county_id, run_id, api.caller, reason)
    return answer(run, 202, location=run.links["self"])


@api.post(SYNC.path + "/cancel", permission=SYNC.run, summary="Drop a sync")
def cancel_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Drops a run that has not been applied; nothing of it remains but its record."""
    return answer(commands.cancel(county_id, run_id, api.caller))


@api.post(SYNC.path + "/resume", permission=SYNC.run, summary="Go on with a sync", status=202)
def resume_run(county_id: str, run_id: UUID) -> Response[SyncRun]:
    """Resumes a run that failed or was cut short, with the partitions that are not done."""
    run = commands.resume(county_id, run_id, api.caller)
    return answer(run, 202, location=run.links["self"])


@api.post(
    SYNC.path + "/roll-back",
    permission=Permission.APPROVE_SYNC,
    summary="Take an applied sync back",
    status=202,
)
def roll_back_run(county_id: str, run_id: UUID, request: RollBackRequest) -> Response[Job]:
    """A run of its own writes every row of an applied run as it was before, as a new version. Rows that have changed
    since, or belong to a closed roll, are findings of it: it rolls back everything, or nothing, or with skip_conflicts
    the other rows. The next sync waits for approval.
    """
    job = roll_backs.roll_back(county_id, run_id, request, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


@api.post(_UPLOAD + "/confirm", permission=Permission.UPLOAD_FILE, summary="Compare an upload", status=202)
def confirm_upload(
    county_id: str, upload_id: UUID, request: Annotated[ConfirmUpload | None, Body()] = None
) -> Response[Job]:
    """Confirms by which mapping the file is read (the proposed or remembered one, or one that is sent), and compares
    its rows with the county's, as a run of the sync machine; then the upload waits for approval.
    """
    job = upload_runs.confirm(
        county_id,
        upload_id,
        request or ConfirmUpload(),
        caller=api.caller,
        idempotency_key=api.idempotency_key,
    )
    return accepted(job)


@api.get(_UPLOAD + "/changes", permission=Permission.VIEW_UPLOADS, summary="An upload's changes, row by row")
def list_upload_changes(
    county_id: str,
    upload_id: UUID,
    change: Annotated[Change | None, Query()] = None,
    field: Annotated[str | None, Query(max_length=100, description="rows that differ in this field")] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RowChange]]:
    """Row by row and field by field: the changes that a waiting upload would apply, or that an applied one did."""
    row_filter = from_query(ChangeFilter, change=change, field=field)
    return answer(upload_runs.changes(county_id, upload_id, row_filter, page_size=page_size, page_token=page_token))


@api.get(_UPLOAD + "/changes/summary", permission=Permission.VIEW_UPLOADS, summary="An upload's changes in sum")
def summarize_upload_changes(county_id: str, upload_id: UUID) -> Response[ChangeSummary]:
    """Rows by table and field, and the roll's values by property class before and after."""
    return answer(upload_runs.summary(county_id, upload_id))


@api.post(_UPLOAD + "/approve", permission=Permission.APPROVE_UPLOAD, summary="Apply an upload", status=202)
def approve_upload(
    county_id: str, upload_id: UUID, request: Annotated[ApproveSync | None, Body()] = None
) -> Response[Upload]:
    """Applies exactly the changes that were shown. 403 for whoever uploaded the file or confirmed its mapping, 409
    where one of its rows has changed since.
    """
    upload = upload_runs.approve(county_id, upload_id, api.caller, request.reason if request is not None else None)
    return answer(upload, 202, location=upload.links["self"])


@api.post(_UPLOAD + "/reject", permission=Permission.APPROVE_UPLOAD, summary="Reject an upload")
def reject_upload(county_id: str, upload_id: UUID, request: RejectUpload) -> Response[Upload]:
    """Drops an upload that has not been applied, with the reason."""
    return answer(upload_runs.reject(county_id, upload_id, api.caller, request.reason))


@api.post(
    _UPLOAD + "/roll-back", permission=Permission.APPROVE_UPLOAD, summary="Take an applied upload back", status=202
)
def roll_back_upload(county_id: str, upload_id: UUID, request: RollBackRequest) -> Response[Job]:
    """As of a sync: every row as it was before, as a new version, and what stands against that named."""
    job = upload_runs.roll_back(county_id, upload_id, request, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)
