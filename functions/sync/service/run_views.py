"""Runs and their partitions as the API shows them, with progress and speed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from functions.sync.domain.runs import TablePlan
from functions.sync.failure import fail_orphaned
from functions.sync.job_kinds import SYNC
from functions.sync.repository import findings, partitions, runs
from functions.sync.schemas.runs import Partition, PartitionCounts, SyncRun, TableProgress
from functions.sync.service.pages import MAX_PAGE, from_row, page_of_run, raise_not_found
from shared.contracts.sync_run import TableCounts
from shared.db import snapshot
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token


def page(county_id: str, *, status: str | None, page_size: int, page_token: str | None) -> Page[SyncRun]:
    """A page of the county's runs, the newest first."""
    query = ["sync-runs", county_id, status]
    size = min(page_size, MAX_PAGE)
    with snapshot(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = runs.page(connection, county_id, status=status, before=before, limit=size + 1)
        ids = [row.run_id for row in rows]
        progress = partitions.progress(connection, county_id, ids)
        counts = findings.counts(connection, county_id, ids)
    if fail_orphaned(county_id, rows):
        return page(county_id, status=status, page_size=page_size, page_token=page_token)
    items = [
        to_sync_run(county_id, row, progress.get(row.run_id, {}), counts.get(row.run_id, {})) for row in rows[:size]
    ]
    more = len(rows) > size
    last = [items[-1].created_at.isoformat(), str(items[-1].id)] if more else []
    return Page[SyncRun](items=items, next_page_token=encode_token(query, last) if more else None)


def get(county_id: str, run_id: UUID) -> SyncRun:
    """A run. Raises NotFound."""
    with snapshot(county_id) as connection:
        row = runs.find_row(connection, county_id, run_id)
        progress = partitions.progress(connection, county_id, [run_id])
        counts = findings.counts(connection, county_id, [run_id])
    if row is None:
        raise_not_found(county_id, run_id)
    if fail_orphaned(county_id, [row]):
        return get(county_id, run_id)
    return to_sync_run(county_id, row, progress.get(run_id, {}), counts.get(run_id, {}))


def partitions_page(
    county_id: str, run_id: UUID, *, status: str | None, page_size: int, page_token: str | None
) -> Page[Partition]:
    """A page of a run's partitions, with the key range and the result of each. Raises NotFound."""
    return page_of_run(
        county_id,
        run_id,
        ["sync-partitions", status],
        parse=[str, int],
        read=lambda connection, after, limit: partitions.page(
            connection, county_id, run_id, status=status, after=after, limit=limit
        ),
        to_item=lambda row: from_row(Partition, row, table=row.table_name, partition=row.partition_no),
        key=lambda partition: [partition.table, str(partition.partition)],
        page_size=page_size,
        page_token=page_token,
    )


def to_sync_run(
    county_id: str, row: runs.RunRow, progress: Mapping[str, TableProgress], finding_counts: Mapping[str, int]
) -> SyncRun:
    """The API's model of a run's record; `progress` of its partitions by table, `finding_counts` by kind."""
    total = sum(table.partitions for table in progress.values())
    done = sum(table.done for table in progress.values())
    unchanged = sum(table.unchanged for table in progress.values())
    plan = {name: TablePlan.model_validate(table) for name, table in (row.plan or {}).items()}
    # shown until the run is reconciled
    counts_of_partitions = {
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
            "links": SYNC.links(county_id, row.run_id),
            "mode": row.mode,
            "validate_only": row.validate_only,
            "trigger": row.trigger,
            "replay_of": row.replay_of,
            "upload_id": row.upload_id,
            "rolls_back": row.rolls_back,
            "rolled_back_by": row.rolled_back_by,
            "rows_per_second": speed.rows_per_second,
            "seconds_left": speed.seconds_left,
            "partitions": PartitionCounts(total=total, done=done, unchanged=unchanged),
            "tables": (row.counts or {}).get("tables") or counts_of_partitions,
            "guard_findings": row.guard_findings or [],
            "findings": finding_counts,
            "notes": row.notes or [],
            "approved_by": row.approved_by,
            "applied_at": row.applied_at,
            "published_at": row.published_at,
        }
    )


class Speed(NamedTuple):
    """The rate at which partitions are read, and the time that the rest will take; None where unknown."""

    rows_per_second: float | None
    seconds_left: float | None


def speed_of(
    plan: Mapping[str, TablePlan],
    progress: Mapping[str, TableProgress],
    planned_at: datetime | None,
    now: datetime | None,
) -> Speed:
    """The speed of a run's reading. `now` is None for a run that does not run: its speed until its last partition."""
    read = sum(table.rows_read for table in progress.values())
    ends = [table.finished_at for table in progress.values() if table.finished_at is not None]
    if planned_at is None or not ends:
        return Speed(None, None)
    reading = any(table.done < table.partitions for table in progress.values())
    until = now if now is not None and reading else max(ends)
    rate = read / max((until - planned_at).total_seconds(), 0.001)
    if now is None or not reading:
        return Speed(round(rate, 1), None)
    rest = max(0, sum(table.rows for table in plan.values()) - read)
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
