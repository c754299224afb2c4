"""Runs as people look at them: how far they are, and how fast."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, NoReturn
from uuid import UUID

from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.failure import settled
from functions.sync.repository import findings, partitions, runs
from functions.sync.schemas import Partition, PartitionCounts, SyncRun, TableCounts, TableProgress
from shared.db import one_moment, unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import links_of
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound

MAX_PAGE = 500


def page(county_id: str, *, status: str | None, page_size: int, page_token: str | None) -> Page[SyncRun]:
    """Runs, the newest first."""
    query = ["sync-runs", county_id, status]
    size = min(page_size, MAX_PAGE)
    with one_moment(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = runs.page(connection, county_id, status=status, before=before, limit=size + 1)
        ids = [row.run_id for row in rows]
        progress = partitions.progress(connection, county_id, ids)
        counts = findings.counts(connection, county_id, ids)
    if settled(county_id, rows):
        return page(county_id, status=status, page_size=page_size, page_token=page_token)
    items = [shown(county_id, row, progress.get(row.run_id, {}), counts.get(row.run_id, {})) for row in rows[:size]]
    more = len(rows) > size
    last = [items[-1].created_at.isoformat(), str(items[-1].id)] if more else []
    return Page[SyncRun](items=items, next_page_token=encode_token(query, last) if more else None)


def get(county_id: str, run_id: UUID) -> SyncRun:
    """A run as it stands. Raises NotFound."""
    with one_moment(county_id) as connection:
        row = runs.find_row(connection, county_id, run_id)
        progress = partitions.progress(connection, county_id, [run_id])
        counts = findings.counts(connection, county_id, [run_id])
    if row is None:
        _not_found(county_id, run_id)
    if settled(county_id, [row]):
        return get(county_id, run_id)
    return shown(county_id, row, progress.get(run_id, {}), counts.get(run_id, {}))


def partitions_page(
    county_id: str, run_id: UUID, *, status: str | None, page_size: int, page_token: str | None
) -> Page[Partition]:
    """A run's partitions with their key ranges, and what became of each. Raises NotFound."""
    query = ["sync-partitions", county_id, str(run_id), status]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, str, int)
    with unit_of_work(county_id) as connection:
        found(runs.find(connection, county_id, run_id), county_id, run_id)
        last = (after[0], after[1]) if after else None
        rows = partitions.page(connection, county_id, run_id, status=status, after=last, limit=size + 1)
    items = rows[:size]
    token = encode_token(query, [items[-1].table, str(items[-1].partition)]) if len(rows) > size else None
    return Page[Partition](items=items, next_page_token=token)


def shown(
    county_id: str, row: runs.RunRow, progress: Mapping[str, TableProgress], found_of: Mapping[str, int]
) -> SyncRun:
    total = sum(table.partitions for table in progress.values())
    done = sum(table.done for table in progress.values())
    unchanged = sum(table.unchanged for table in progress.values())
    plan = {name: TablePlan.model_validate(one) for name, one in (row.plan or {}).items()}
    # until the run is reconciled, what its partitions have read so far
    so_far = {
        name: TableCounts(read_by=plan[name].read_by, read=table.rows_read, rejected=table.rows_rejected)
        for name, table in progress.items()
    }
    speed = speed_of(plan, progress, row.planned_at, datetime.now(UTC) if row.status == "running" else None)
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
            "replay_of": row.replay_of,
            "rows_per_second": speed.rows_per_second,
            "seconds_left": speed.seconds_left,
            "partitions": PartitionCounts(total=total, done=done, unchanged=unchanged),
            "tables": (row.counts or {}).get("tables") or so_far,
            "guard_findings": row.guard_findings or [],
            "findings": found_of,
            "notes": row.notes or [],
            "approved_by": row.approved_by,
            "applied_at": row.applied_at,
            "published_at": row.published_at,
        }
    )


class Speed(NamedTuple):
    """How fast partitions are read, and how long the rest will take; None where it cannot be told."""

    rows_per_second: float | None
    seconds_left: float | None


def speed_of(
    plan: Mapping[str, TablePlan],
    progress: Mapping[str, TableProgress],
    planned_at: datetime | None,
    now: datetime | None,
) -> Speed:
    """The speed of a run's reading. `now` is None for a run that does not run: then it is what it was."""
    read = sum(table.rows_read for table in progress.values())
    ends = [table.finished_at for table in progress.values() if table.finished_at is not None]
    if planned_at is None or not ends:
        return Speed(None, None)
    reading = any(table.done < table.partitions for table in progress.values())
    until = now if now is not None and reading else max(ends)
    rate = read / max((until - planned_at).total_seconds(), 0.001)
    if now is None or not reading:
        return Speed(round(rate, 1), None)
    rest = max(0, sum(one.rows for one in plan.values()) - read)
    return Speed(round(rate, 1), round(rest / rate, 1) if rate else None)


def _step(row: runs.RunRow, total: int, done: int) -> str:
    if row.status != "running":
        return ""
    if row.planned_at is None:
        return "planning"
    if row.applied_at is not None:
        return "publishing"
    if done < total:
        return "reading"
    return "reconciling" if row.reconciled_at is None else "applying"


def found(run: RunState | None, county_id: str, run_id: UUID) -> RunState:
    if run is None:
        _not_found(county_id, run_id)
    return run


def _not_found(county_id: str, run_id: UUID) -> NoReturn:
    raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
