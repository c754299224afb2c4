"""What people do with runs: start, look at, approve, cancel, resume."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

import orjson

from functions.sync.repository import changes, partitions, runs
from functions.sync.schemas import (
    FieldChange,
    PartitionCounts,
    RejectedRow,
    RowChange,
    RunState,
    SyncRequest,
    SyncRun,
    TableCounts,
    TableProgress,
)
from functions.sync.service.applying import require_same_data
from functions.sync.service.locking import in_the_way, let_go
from functions.sync.service.planning import add_run
from shared import audit
from shared.access import Caller
from shared.aws import client
from shared.db import unit_of_work
from shared.db.models import PROVENANCE, SYNC_TARGETS
from shared.db.tenancy import require_onboarded
from shared.jobs import Job, JobError
from shared.jobs import get as get_job
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import deterministic_id, digest, links_of, refuse_reused_key
from shared.mapping.targets import ColumnKind, TargetColumn, target_tables
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, NotFound, ServiceUnavailable
from shared.settings import settings

MAX_PAGE = 500

_OWN = PROVENANCE | {"action", "base_version", "partition_no", "location"}


def start(county_id: str, request: SyncRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Write a run down and start it. The same request with the same key finds the run that it made.

    Raises NotFound, Unprocessable for a mode that is not available, Conflict naming the run that is active.
    """
    run_id = deterministic_id(county_id, "sync", caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        known = jobs.find(connection, county_id, "sync", run_id)
        if known is not None:
            refuse_reused_key(known.request_digest, digest(request))
        else:
            add_run(connection, county_id, run_id, request, submitted_by=caller.username, trigger="request")
            audit.record(
                connection, county_id, caller.username, "sync.requested", f"sync-runs/{run_id}", request.model_dump()
            )
    job = get_job(county_id, "sync", run_id)
    if job.status == "pending":
        _start_machine(county_id, run_id, str(run_id), trigger="request")
    return job


def page(county_id: str, *, status: str | None, page_size: int, page_token: str | None) -> Page[SyncRun]:
    """Runs, the newest first."""
    query = ["sync-runs", county_id, status]
    size = min(page_size, MAX_PAGE)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = runs.page(connection, county_id, status=status, before=before, limit=size + 1)
        progress = partitions.progress(connection, county_id, [row.run_id for row in rows])
    items = [_shown(county_id, row, progress.get(row.run_id, {})) for row in rows[:size]]
    more = len(rows) > size
    last = [items[-1].created_at.isoformat(), str(items[-1].id)] if more else []
    return Page[SyncRun](items=items, next_page_token=encode_token(query, last) if more else None)


def get(county_id: str, run_id: UUID) -> SyncRun:
    """A run as it stands. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = runs.find_row(connection, county_id, run_id)
        progress = partitions.progress(connection, county_id, [run_id])
    if row is None:
        _not_found(county_id, run_id)
    return _shown(county_id, row, progress.get(run_id, {}))


def changes_page(county_id: str, run_id: UUID, *, page_size: int, page_token: str | None) -> Page[RowChange]:
    """What a run would do, or did, by table and key. Raises NotFound, Conflict where there is nothing to look at."""
    query = ["sync-changes", county_id, str(run_id)]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, str, str)
    with unit_of_work(county_id) as connection:
        run = _found(runs.find(connection, county_id, run_id), county_id, run_id)
        if run.applied_at is None and run.status != "awaiting_approval":
            raise Conflict(f"The run is {run.status}: there are no changes to look at.", slug="no-changes-to-show")
        read = changes.applied_page if run.applied_at else changes.staged_page
        found: list[RowChange] = []
        for table in (name for name in SYNC_TARGETS if name in run.tables):
            if (after and _position(table) < _position(after[0])) or run.tables[table].differences == 0:
                continue
            last = after[1] if after and after[0] == table else None
            rows = read(connection, county_id, run_id, table, after=last, limit=size + 1 - len(found))
            found += [_row_change(table, *row) for row in rows]
            if len(found) > size:
                break
    more = len(found) > size
    items = found[:size]
    token = encode_token(query, [items[-1].table, items[-1].key]) if more else None
    return Page[RowChange](items=items, next_page_token=token)


def rejected_page(
    county_id: str, run_id: UUID, *, table: str | None, page_size: int, page_token: str | None
) -> Page[RejectedRow]:
    """The rows that a run put into quarantine. Raises NotFound."""
    query = ["sync-rejected", county_id, str(run_id), table]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        _found(runs.find(connection, county_id, run_id), county_id, run_id)
        number = after[0] if after else 0
        rows = partitions.rejects_page(connection, county_id, run_id, table=table, after=number, limit=size + 1)
    items = [
        RejectedRow(
            row_no=row.row_no,
            table=row.table_name,
            source_key=row.source_key,
            source_row=row.source_row,
            reasons=row.reasons,
        )
        for row in rows[:size]
    ]
    token = encode_token(query, [str(items[-1].row_no)]) if len(rows) > size else None
    return Page[RejectedRow](items=items, next_page_token=token)


def approve(county_id: str, run_id: UUID, caller: Caller) -> SyncRun:
    """Apply exactly what was shown.

    Raises NotFound, and Conflict where the run does not wait, another one is active, or the data has moved on.
    """
    with unit_of_work(county_id) as connection:
        run = _found(runs.find(connection, county_id, run_id, for_update=True), county_id, run_id)
        if run.status != "awaiting_approval":
            raise Conflict(f"The run is {run.status}: it does not wait for approval.", slug="not-awaiting-approval")
        require_same_data(connection, run, list(run.tables))
        if not runs.reopen(connection, county_id, run_id):
            raise in_the_way(connection, county_id)
        runs.set_run(connection, county_id, run_id, approved_by=caller.username)
        audit.record(connection, county_id, caller.username, "sync.approved", f"sync-runs/{run_id}", {})
    try:
        _start_machine(county_id, run_id, f"{run_id}-approve-{_now()}", resume_at="apply")
    except ServiceUnavailable:
        with unit_of_work(county_id) as connection:
            runs.set_run(connection, county_id, run_id, active=False, approved_by=None)
            jobs.set_status(connection, county_id, run_id, "awaiting_approval")
        raise
    return get(county_id, run_id)


def cancel(county_id: str, run_id: UUID, caller: Caller) -> SyncRun:
    """Drop a run that has not been applied; tasks of it that still run notice and stop.

    Raises NotFound, and Conflict where the run has been applied or has ended.
    """
    with unit_of_work(county_id) as connection:
        run = _found(runs.find(connection, county_id, run_id, for_update=True), county_id, run_id)
        if run.status == "cancelled":
            return get(county_id, run_id)
        if run.applied_at is not None or run.status not in ("pending", "running", "awaiting_approval"):
            raise Conflict(f"The run is {run.status}: there is nothing to cancel.", slug="sync-run-ended")
        jobs.set_status(
            connection, county_id, run_id, "cancelled", JobError(type="cancelled", detail=f"By {caller.username}.")
        )
        let_go(connection, county_id, run_id)
        audit.record(connection, county_id, caller.username, "sync.cancelled", f"sync-runs/{run_id}", {})
    return get(county_id, run_id)


def resume(county_id: str, run_id: UUID, caller: Caller) -> SyncRun:
    """Go on with a run that failed, or that stopped without a word. What it finished is not done again.

    Raises NotFound, and Conflict where the run has ended otherwise or another one is active.
    """
    with unit_of_work(county_id) as connection:
        run = _found(runs.find(connection, county_id, run_id, for_update=True), county_id, run_id)
        if run.status not in ("failed", "running", "pending"):
            raise Conflict(f"The run is {run.status}: there is nothing to resume.", slug="sync-run-ended")
        if not runs.reopen(connection, county_id, run_id):
            raise in_the_way(connection, county_id)
        audit.record(connection, county_id, caller.username, "sync.resumed", f"sync-runs/{run_id}", {})
    _start_machine(county_id, run_id, f"{run_id}-resume-{_now()}")
    return get(county_id, run_id)


def _start_machine(county_id: str, run_id: UUID, name: str, **more: str) -> None:
    machine = client("stepfunctions")
    try:
        machine.start_execution(
            stateMachineArn=settings().sync_state_machine_arn,
            name=name,
            input=orjson.dumps({"county_id": county_id, "run_id": str(run_id), **more}).decode(),
        )
    except machine.exceptions.ExecutionAlreadyExists:
        return
    except Exception as error:
        detail = "The sync could not be started; resume it in a moment."
        with unit_of_work(county_id) as connection:
            if "resume_at" not in more:
                jobs.set_status(connection, county_id, run_id, "failed", JobError(type="not-started", detail=detail))
                let_go(connection, county_id, run_id)
        raise ServiceUnavailable(detail) from error


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")


def _shown(county_id: str, row: runs.RunRow, progress: Mapping[str, TableProgress]) -> SyncRun:
    total = sum(table.partitions for table in progress.values())
    done = sum(table.done for table in progress.values())
    unchanged = sum(table.unchanged for table in progress.values())
    # until the run is reconciled, what its partitions have read so far
    so_far = {name: TableCounts(read=table.rows_read, rejected=table.rows_rejected) for name, table in progress.items()}
    return SyncRun.model_validate(
        {
            "id": row.run_id,
            "status": row.status,
            "progress": {"done": done, "total": total or None, "step": _step(row, total, done)},
            "submitted_by": row.submitted_by,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "error": row.error,
            "links": links_of(county_id, "sync", row.run_id),
            "mode": row.mode,
            "validate_only": row.validate_only,
            "trigger": row.trigger,
            "partitions": PartitionCounts(total=total, done=done, unchanged=unchanged),
            "tables": (row.counts or {}).get("tables") or so_far,
            "guard_findings": row.guard_findings or [],
            "approved_by": row.approved_by,
            "applied_at": row.applied_at,
            "published_at": row.published_at,
        }
    )


def _step(row: runs.RunRow, total: int, done: int) -> str:
    if row.status != "running":
        return ""
    if row.planned_at is None:
        return "planning"
    if row.applied_at is not None:
        return "publishing"
    return "reading" if done < total else "applying"


def _row_change(table: str, key: str, change: Any, before: dict[str, Any], after: dict[str, Any]) -> RowChange:
    names = sorted((before.keys() | after.keys()) - _OWN)
    if before and after:  # a staged row has only what the mapping fills
        names = [name for name in names if name in after and before.get(name) != after.get(name)]
    columns = target_tables()[table].columns
    fields = [
        FieldChange(field=name, old=_exact(columns, name, before), new=_exact(columns, name, after)) for name in names
    ]
    return RowChange(
        table=table,
        key=key,
        change=change,
        fields=[one for one in fields if one.old is not None or one.new is not None],
    )


def _exact(columns: Mapping[str, TargetColumn], name: str, row: dict[str, Any]) -> Any:
    """A field as JSON; money and quantities as decimal text, which a JSON number is not."""
    value, column = row.get(name), columns.get(name)
    if value is None or column is None or column.kind is not ColumnKind.NUMERIC:
        return value
    return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-column.scale)))


def _position(table: str) -> int:
    return list(SYNC_TARGETS).index(table)


def _found(run: RunState | None, county_id: str, run_id: UUID) -> RunState:
    if run is None:
        _not_found(county_id, run_id)
    return run


def _not_found(county_id: str, run_id: UUID) -> NoReturn:
    raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
