"""Runs. A run's status is that of the job with the same id; counts and findings are columns of its own."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, Row, Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from functions.sync.domain.runs import RunState
from functions.sync.job_kinds import SYNC
from functions.sync.schemas.runs import RunMode, SourceNote
from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.db.literals import uuid_literal
from shared.db.models import County, Job, SyncRun

STALE_AFTER = timedelta(hours=6)
"""Age after which an active run counts as abandoned, and the next one takes its place. A choice, well beyond any run.
"""

RunRow = Row[*tuple[Any, ...]]

_JOB = (
    Job.status, Job.submitted_by, Job.created_at, Job.started_at, Job.finished_at, Job.error, Job.request_digest,
    Job.execution_arn, Job.execution_named_at,
)  # fmt: skip
_RUN = (
    SyncRun.run_id, SyncRun.mode, SyncRun.validate_only, SyncRun.trigger, SyncRun.mapping_digest, SyncRun.plan,
    SyncRun.base_run, SyncRun.replay_of, SyncRun.replay_filter, SyncRun.counts, SyncRun.guard_findings, SyncRun.notes,
    SyncRun.active,
    SyncRun.approved_by, SyncRun.approval_reason, SyncRun.planned_at, SyncRun.reconciled_at, SyncRun.applied_at,
    SyncRun.published_at, SyncRun.upload_id, SyncRun.rolls_back, SyncRun.rolled_back_by, SyncRun.skip_conflicts,
)  # fmt: skip


class NewRun(NamedTuple):
    """The values of a new run."""

    run_id: UUID
    mode: RunMode
    validate_only: bool
    trigger: str
    replay_of: UUID | None = None
    replay_filter: dict[str, Any] | None = None
    upload_id: UUID | None = None
    rolls_back: UUID | None = None
    skip_conflicts: bool = False
    approval_reason: str | None = None


def county(connection: Connection, county_id: str) -> tuple[dict[str, Any], str] | None:
    """The county's current configuration and mapping, or None."""
    row = connection.execute(
        select(County.configuration, County.mapping).where(County.county_id == county_id)
    ).one_or_none()
    return None if row is None else (row.configuration, row.mapping)


def add(connection: Connection, county_id: str, run: NewRun, *, active: bool = True) -> bool:
    """Insert a run; False where it is to be active and the county has an active run."""
    statement = insert(SyncRun).values(county_id=county_id, active=active, **run._asdict()).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def active(connection: Connection, county_id: str) -> RunRow | None:
    """The county's active run with its job's times, or None."""
    stale = func.coalesce(Job.execution_named_at, Job.created_at) < func.now() - STALE_AFTER
    return connection.execute(
        select(SyncRun.run_id, *_JOB, stale.label("stale"))
        .join(Job, (Job.county_id == SyncRun.county_id) & (Job.job_id == SyncRun.run_id))
        .where(SyncRun.county_id == county_id, SyncRun.active)
    ).one_or_none()


def last_applied(connection: Connection, county_id: str) -> UUID | None:
    """The run that was applied last."""
    return connection.scalar(
        select(SyncRun.run_id)
        .where(SyncRun.county_id == county_id, SyncRun.applied_at.is_not(None))
        .order_by(SyncRun.applied_at.desc())
        .limit(1)
    )


def last_full_read(connection: Connection, county_id: str, table: str) -> UUID | None:
    """The last applied run that read the whole of a table."""
    return connection.scalar(
        select(SyncRun.run_id)
        .where(
            SyncRun.county_id == county_id,
            SyncRun.applied_at.is_not(None),
            SyncRun.plan[table]["read_by"].astext == "whole",
        )
        .order_by(SyncRun.applied_at.desc())
        .limit(1)
    )


def standing_roll_back(connection: Connection, county_id: str) -> RunState | None:
    """The roll-back of a sync after which no other sync was applied; None where there is none."""
    rolled_back = aliased(SyncRun)
    row = connection.execute(
        _select(county_id)
        .add_columns(rolled_back.upload_id.label("rolled_back_upload"))
        .outerjoin(rolled_back, (rolled_back.county_id == county_id) & (rolled_back.run_id == SyncRun.rolls_back))
        .where(SyncRun.applied_at.is_not(None), SyncRun.upload_id.is_(None), rolled_back.upload_id.is_(None))
        .order_by(SyncRun.applied_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None or row.rolls_back is None else _state(county_id, row)


def mark_rolled_back_sql(county_id: str, run_id: UUID, by: UUID) -> str:
    """SQL that marks a run as rolled back by another."""
    return (
        f"UPDATE sync_runs SET rolled_back_by = {uuid_literal(by)} WHERE county_id = {literal(county_id)}"  # noqa: S608 - literals
        f" AND run_id = {uuid_literal(run_id)}"
    )


def was_written_since(connection: Connection, county_id: str, run_id: UUID, table: str) -> bool:
    """True where a run that was applied after this one has written a table."""
    applied_at = select(SyncRun.applied_at).where(SyncRun.county_id == county_id, SyncRun.run_id == run_id)
    later = connection.scalars(
        select(SyncRun.counts["tables"][table]).where(
            SyncRun.county_id == county_id, SyncRun.applied_at > applied_at.scalar_subquery()
        )
    )
    return any(TableCounts.model_validate(counts).differences > 0 for counts in later if counts)


def is_published(connection: Connection, run: RunState) -> bool:
    """True where the run that this one is compared with is published: it may have failed after it was applied."""
    if run.base_run is None:
        return True
    published = select(SyncRun.published_at).where(SyncRun.county_id == run.county_id, SyncRun.run_id == run.base_run)
    return connection.scalar(published) is not None


def find(connection: Connection, county_id: str, run_id: UUID, *, for_update: bool = False) -> RunState | None:
    """A run; with `for_update` locked until the transaction ends."""
    if for_update:  # in a statement of its own: one that waits for a row reads other rows as they were before
        lock = select(SyncRun.run_id).where(SyncRun.county_id == county_id, SyncRun.run_id == run_id)
        connection.execute(lock.with_for_update())
    row = connection.execute(_select(county_id).where(SyncRun.run_id == run_id)).one_or_none()
    return None if row is None else _state(county_id, row)


def try_lock_for_apply(connection: Connection, run_id: UUID) -> bool:
    """Take the lock of Apply until the transaction ends; False where another transaction has it."""
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_apply_lock(run_id)))))


def is_being_applied(connection: Connection, run_id: UUID) -> bool:
    """True where another transaction has the lock of Apply."""
    return not connection.scalar(select(func.pg_try_advisory_xact_lock_shared(_apply_lock(run_id))))


def _apply_lock(run_id: UUID) -> Any:
    return func.hashtextextended(f"apply {run_id}", 0)


def find_row(connection: Connection, county_id: str, run_id: UUID) -> RunRow | None:
    """The record of a run with its job's."""
    return connection.execute(_select(county_id).where(SyncRun.run_id == run_id)).one_or_none()


def page(
    connection: Connection, county_id: str, *, status: str | None, before: tuple[Any, ...] | None, limit: int
) -> list[RunRow]:
    """A page of runs, the newest first; `before`: creation time and id of the last run of the previous page."""
    statement = _select(county_id).order_by(Job.created_at.desc(), SyncRun.run_id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(Job.status == status)
    if before is not None:
        statement = statement.where(tuple_(Job.created_at, SyncRun.run_id) < before)
    return list(connection.execute(statement))


def set_run(connection: Connection, county_id: str, run_id: UUID, **values: Any) -> None:
    """Set columns of a run."""
    connection.execute(update(SyncRun).where(SyncRun.county_id == county_id, SyncRun.run_id == run_id).values(**values))


def mark_applied_sql(county_id: str, run_id: UUID) -> str:
    """SQL that marks a run as applied at the transaction's time, which is that of the versions it writes."""
    return (
        f"UPDATE sync_runs SET applied_at = now() WHERE county_id = {literal(county_id)}"  # noqa: S608 - literals
        f" AND run_id = {uuid_literal(run_id)}"
    )


def set_findings(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    tables: dict[str, TableCounts],
    findings: list[GuardFinding],
    notes: list[SourceNote],
) -> None:
    """Record the result of Reconcile."""
    set_run(
        connection,
        county_id,
        run_id,
        counts={"tables": {name: counts.model_dump() for name, counts in tables.items()}},
        guard_findings=[finding.model_dump() for finding in findings],
        notes=[note.model_dump() for note in notes],
        reconciled_at=func.now(),
    )


def reopen(connection: Connection, county_id: str, run_id: UUID) -> bool:
    """Make an ended run active and running again; False where the county has another active run."""
    active_run = active(connection, county_id)
    if active_run is not None and active_run.run_id != run_id:
        return False
    set_run(connection, county_id, run_id, active=True)
    connection.execute(
        update(Job)
        .where(Job.county_id == county_id, Job.job_id == run_id)
        .values(status="running", error=None, finished_at=None, started_at=func.coalesce(Job.started_at, func.now()))
    )
    return True


def _select(county_id: str) -> Select[Any]:
    return (
        select(*_RUN, *_JOB)
        .join(Job, (Job.county_id == SyncRun.county_id) & (Job.job_id == SyncRun.run_id))
        .where(SyncRun.county_id == county_id)
    )


def _state(county_id: str, row: RunRow) -> RunState:
    counts = row.counts or {}
    return RunState(
        county_id=county_id,
        run_id=row.run_id,
        status=row.status,
        mode=row.mode,
        validate_only=row.validate_only,
        trigger=row.trigger,
        submitted_by=row.submitted_by,
        mapping_digest=row.mapping_digest,
        plan=row.plan or {},
        tables=counts.get("tables", {}),
        base_run=row.base_run,
        replay_of=row.replay_of,
        replay_filter=row.replay_filter,
        approved_by=row.approved_by,
        approval_reason=row.approval_reason,
        closed_rolls=_closed_rolls(row.guard_findings or []),
        guard_findings=row.guard_findings or [],
        planned_at=row.planned_at,
        applied_at=row.applied_at,
        published_at=row.published_at,
        upload_id=row.upload_id,
        rolls_back=row.rolls_back,
        rolled_back_by=row.rolled_back_by,
        skip_conflicts=row.skip_conflicts,
    )


def _closed_rolls(guarded: list[dict[str, Any]]) -> dict[int, int]:
    rows: dict[int, int] = {}
    for finding in guarded:
        if finding.get("roll_year") is not None:
            rows[finding["roll_year"]] = rows.get(finding["roll_year"], 0) + int(finding["rows"] or 0)
    return rows


def superseded_by(connection: Connection, county_id: str, run_id: UUID) -> list[UUID]:
    """The runs that wait for approval and were compared with the data before this run; uploads' are held against each
    row when they are approved.
    """
    waiting = (Job.county_id == county_id, Job.kind == SYNC.name, Job.status == "awaiting_approval")
    return list(
        connection.scalars(
            select(Job.job_id)
            .join(SyncRun, (SyncRun.county_id == Job.county_id) & (SyncRun.run_id == Job.job_id))
            .where(*waiting, Job.job_id != run_id, SyncRun.upload_id.is_(None))
        )
    )
