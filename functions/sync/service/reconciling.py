"""Reconcile: what the source no longer has, what two partitions both have, the guards, and the run's difference."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import orjson
import polars as pl
from sqlalchemy import Connection

from functions.sync.repository import changes, partitions, runs, staging, targets
from functions.sync.schemas import GuardFinding, PartitionState, TableCounts
from functions.sync.service.context import RunContext, filled_columns, load, source_table
from functions.sync.service.frames import get_frame
from functions.sync.service.guards import TableOutcome, findings_of
from functions.sync.service.objects import target_keys_key
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS, key_column
from shared.jobs import repository as jobs
from shared.problems import Conflict

Outcome = Literal["apply", "awaiting_approval", "unchanged"]


def reconcile(county_id: str, run_id: UUID) -> Outcome:
    """Compare the whole run with its source and its targets, and decide how it goes on. Safe to run again.

    Raises Conflict where a partition is not done, SourceUnavailable.
    """
    context = load(county_id, run_id)
    if context.run.applied_at is not None:
        return "apply"
    with unit_of_work(county_id) as connection:
        of_run = partitions.of_run(connection, county_id, run_id)
        base = runs.find(connection, county_id, context.run.base_run) if context.run.base_run else None
    waiting = [partition.name for partition in of_run if partition.status != "done"]
    if waiting:
        raise Conflict(f"Not everything has been read: {waiting[0]} and {len(waiting) - 1} more.")
    tables = {
        table.target_table_name: _reconcile_table(
            context, table.target_table_name, [one for one in of_run if one.table_name == table.target_table_name]
        )
        for table in context.mapping.table_mappings
    }
    findings = findings_of(context, base, tables)
    return _decide(context, tables, findings)


def _reconcile_table(context: RunContext, table: str, of_table: Sequence[PartitionState]) -> TableOutcome:
    read = sum(partition.rows_read or 0 for partition in of_table)
    rejected = sum(partition.rows_rejected or 0 for partition in of_table)
    if all(partition.unchanged for partition in of_table):
        with unit_of_work(context.county_id) as connection:
            known = targets.live_count(connection, context.county_id, table)
        return TableOutcome(TableCounts(known=known, read=read, rejected=rejected), unchanged=True, in_source=None)
    in_source = _count_source(context, table)
    keys = _keys_of(of_table)
    with unit_of_work(context.county_id) as connection:
        live = targets.live_keys(connection, context.county_id, table)
        _stage_removals(connection, context, table, live, keys)
        moved = _reject_duplicates(connection, context, table, keys)
        staged = changes.count_staged(connection, context.run_id, table)
        columns = filled_columns(context.mapping, table)
        fields = changes.count_changed_fields(connection, context.county_id, context.run_id, table, columns)
    counts = TableCounts(known=live.height, read=read, rejected=rejected + moved, changed_fields=fields, **staged)
    return TableOutcome(counts, unchanged=False, in_source=in_source)


def _count_source(context: RunContext, table: str) -> int:
    source = context.source()
    try:
        return source.count(source_table(context.mapping.table(table)))
    finally:
        source.close()


def _keys_of(of_table: Sequence[PartitionState]) -> pl.DataFrame:
    """Every target key that the source has, with the partition that has it."""
    frames = [
        get_frame(target_keys_key(partition.raw_key)).with_columns(partition_no=pl.lit(partition.partition_no))
        for partition in of_table
        if partition.raw_key
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"key": pl.String, "partition_no": pl.Int32})


def _stage_removals(
    connection: Connection, context: RunContext, table: str, live: pl.DataFrame, keys: pl.DataFrame
) -> None:
    """Told from the source's keys, not from the good rows: a row that became bad keeps its last good version."""
    changes.clear_removals(connection, context.run_id, table)
    removed = live.join(keys, on="key", how="anti")
    rows = removed.select(
        pl.lit(0).alias("partition_no"),
        pl.lit("D").alias("action"),
        pl.col("version").alias("base_version"),
        pl.col("key").alias(key_column(SYNC_TARGETS[table])),
    )
    staging.fill(connection, context.run_id, table, rows)


def _reject_duplicates(connection: Connection, context: RunContext, table: str, keys: pl.DataFrame) -> int:
    """Keys that several partitions have: the first one's row stands, the others go into quarantine."""
    if keys.get_column("partition_no").n_unique() < 2:
        return 0
    first = pl.col("partition_no").min().over("key")
    later = keys.filter(pl.col("partition_no") > first)
    if later.is_empty():
        return 0
    moved = changes.move_duplicates(connection, context.run_id, table, later.rows())
    key = key_column(SYNC_TARGETS[table])
    reason = {"rule": "duplicate_key", "field": key, "message": "an earlier row of the source has the same key"}
    for source_key, number, row in moved:
        mapped = {name: value for name, value in row.items() if name not in staging.OWN_COLUMNS}
        reject = (source_key, orjson.dumps(mapped).decode(), orjson.dumps([reason]).decode())
        partitions.add_rejects(connection, context.county_id, context.run_id, table, number, [reject])
    return len(moved)


def _decide(context: RunContext, tables: dict[str, TableOutcome], findings: list[GuardFinding]) -> Outcome:
    counts = {name: table.counts for name, table in tables.items()}
    unchanged = all(table.unchanged for table in tables.values())
    with unit_of_work(context.county_id) as connection:
        runs.set_findings(connection, context.county_id, context.run_id, context.run.base_run, counts, findings)
        if unchanged:
            # every partition is as the last applied run left it, so there is nothing to show, keep or apply
            staging.drop(connection, context.run_id)
            runs.set_run(connection, context.county_id, context.run_id, active=False)
            jobs.set_status(connection, context.county_id, context.run_id, "succeeded")
            return "unchanged"
        if context.run.validate_only or findings:
            runs.set_run(connection, context.county_id, context.run_id, active=False)
            jobs.set_status(connection, context.county_id, context.run_id, "awaiting_approval")
            return "awaiting_approval"
    return "apply"
