"""Reconcile: what the source no longer has, what two partitions both have, the guards, and the run's difference."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from functions.sync.domain.guards import TableOutcome, guard_findings, source_notes
from functions.sync.domain.partitions import PartitionState
from functions.sync.engine import value_guards
from functions.sync.engine.lost_keys import read_again_where_lost
from functions.sync.engine.removed_rows import CHANGED_ONLY, removed_keys, repeated_keys, settled_keys
from functions.sync.engine.run_context import RunContext, load, require_going
from functions.sync.engine.source_rows import rows_as_read
from functions.sync.engine.table_rules import check_across_rows, referenced_first
from functions.sync.repository import (
    changes,
    findings,
    partitions,
    quarantine,
    roll_rows,
    runs,
    staging,
    targets,
    warnings,
    watermarks,
)
from functions.sync.repository.value_changes import ChangedRows
from functions.sync.run_data import filled_columns
from functions.sync.schemas import GuardFinding, SourceNote, TableCounts
from functions.sync.staged_data import require_staged
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS, key_column
from shared.jobs import repository as jobs
from shared.mapping.rules.rule_names import BuiltinRule
from shared.problems import Conflict
from shared.rolls import closing

Outcome = Literal["apply", "awaiting_approval", "unchanged"]


def reconcile_run(county_id: str, run_id: UUID) -> Outcome:
    """Compare the whole run with its source and its targets, and decide how it goes on. Safe to run again.

    Raises Conflict where a partition is not done or what was staged is lost, SourceUnavailable.
    """
    context = load(county_id, run_id)
    if context.run.applied_at is not None:
        return "apply"
    with unit_of_work(county_id) as connection:
        if runs.is_being_applied(connection, run_id):  # by the database, for an execution that has ended
            return "apply"
        of_run = partitions.of_run(connection, county_id, run_id)
        whole = {read.whole_run for read in context.run.plan.values() if read.whole_run is not None}
        earlier = {one: runs.find(connection, county_id, one) for one in whole}
    waiting = [partition.name for partition in of_run if partition.status != "done"]
    if waiting:
        raise Conflict(f"Not everything has been read: {waiting[0]} and {len(waiting) - 1} more.")
    tables = {
        table: _reconcile_table(context, table, [one for one in of_run if one.table_name == table])
        for table in referenced_first(context.mapping, list(context.run.plan))
    }
    before = {name: earlier.get(read.whole_run) for name, read in context.run.plan.items() if read.whole_run}
    limits = context.configuration.data_ingestion_settings.guards
    guarded = guard_findings(context.run, limits, before, tables)
    return _decide(context, tables, guarded, source_notes(context.run, before))


def _reconcile_table(context: RunContext, table: str, of_table: Sequence[PartitionState]) -> TableOutcome:
    plan = context.run.plan[table]
    read = sum(partition.rows_read or 0 for partition in of_table)
    rejected = sum(partition.rows_rejected or 0 for partition in of_table)
    counts = TableCounts(read_by=plan.read_by, read=read, rejected=rejected)
    if all(partition.unchanged for partition in of_table) and not _may_remove(context, table, of_table):
        with unit_of_work(context.county_id) as connection:
            known = targets.live_count(connection, context.county_id, table)
        return TableOutcome(counts.model_copy(update={"known": known}), unchanged=True, source_count=None)
    source_count = _count_source(context, table) if plan.read_by == "whole" else None
    of_table, keys = read_again_where_lost(context, table, of_table)
    with unit_of_work(context.county_id) as connection:
        live = targets.live_keys(connection, context.county_id, table)
    removed = removed_keys(context, table, live, keys)
    with unit_of_work(context.county_id) as connection:
        _hold(connection, context)
        present = staging.count(connection, context.run_id, table)
        if present.pop(staging.REMOVE, 0):  # of an earlier try of this task
            changes.clear_removals(connection, context.run_id, table)
        require_staged(table, sum(present.values()), sum(one.rows_staged or 0 for one in of_table))
        _stage_removals(connection, context, table, removed)
        _reject_duplicates(connection, context, table, of_table, keys)
        check_across_rows(connection, context, table, of_table)
        warned = warnings.count(connection, context.county_id, context.run_id, table)
        repeated = quarantine.count_rule(
            connection, context.county_id, context.run_id, table, BuiltinRule.DUPLICATE_KEY
        )
        staged, aside = changes.count_staged(connection, context.run_id, table)
        closed = _find_closed_rolls(connection, context, table)
        if staged.keys() & {"changed", "returned"}:
            columns = filled_columns(context.mapping, table)
            for statement in findings.to_find(context.county_id, context.run_id, table, columns):
                connection.exec_driver_sql(statement)
        update = {
            "known": live.height,
            "rejected": rejected + aside,
            "repeated_keys": repeated,
            "warned": warned,
            **staged,
        }
        found = counts.model_copy(update=update)
        fields, values = _judge_values(connection, context, table, found) if found.changed else ({}, ())
        found = found.model_copy(update={"changed_fields": fields})
    idle = plan.read_by in CHANGED_ONLY and found.differences == 0 and found.rejected == 0
    if idle:
        with unit_of_work(context.county_id) as connection:
            open_keys = quarantine.open_keys(connection, context.county_id, table)
        idle = not settled_keys(context, table, of_table, open_keys)
    return TableOutcome(found, unchanged=idle, source_count=source_count, closed_rolls=closed, value_findings=values)


def _judge_values(
    connection: Connection, context: RunContext, table: str, counts: TableCounts
) -> tuple[dict[str, int], tuple[GuardFinding, ...]]:
    """In how many of the changed rows each field differs, and what speaks against the values that they get."""
    columns = filled_columns(context.mapping, table)
    rows = ChangedRows(connection, context.county_id, context.run_id, table)
    fields = rows.by_field(columns)
    limits = context.configuration.data_ingestion_settings.guards
    found = tuple(value_guards.findings_of(rows, limits, counts, fields, columns))
    return {name: changes.changed for name, changes in fields.items()}, found


def _find_closed_rolls(connection: Connection, context: RunContext, table: str) -> dict[closing.ClosedRoll, int]:
    """How many rows of closed rolls the run would change."""
    if table not in closing.ROLL_TABLES:
        return {}
    columns = filled_columns(context.mapping, table)
    years = roll_rows.years(connection, context.county_id, context.run_id, table, columns)
    closed = {one.roll_year: one for one in closing.closed_rolls(connection, context.county_id, years)}
    counts = roll_rows.find(connection, context.county_id, context.run_id, table, columns, closed)
    return {closed[year]: number for year, number in counts.items()}


def _may_remove(context: RunContext, table: str, of_table: Sequence[PartitionState]) -> bool:
    """Whether rows can be gone where nothing was read: a reading of what changed has no partition then."""
    read_by = context.run.plan[table].read_by
    if read_by == "change_tracking":
        return True
    removals = context.configuration.data_ingestion_settings.incremental.removals
    return read_by == "watermark" and (bool(of_table) or removals == "compare_keys")


def _hold(connection: Connection, context: RunContext) -> None:
    """Let no other try of this task write at the same time. Raises Conflict for a run that has ended."""
    run = runs.find(connection, context.county_id, context.run_id, for_update=True)
    if run is not None:
        require_going(run)


def _count_source(context: RunContext, table: str) -> int:
    source = context.source()
    try:
        return source.count(context.whole_table(table))
    finally:
        source.close()


def _stage_removals(connection: Connection, context: RunContext, table: str, removed: pl.DataFrame) -> None:
    rows = removed.select(
        pl.lit(0).alias("partition_no"),
        pl.lit(staging.REMOVE).alias("action"),
        pl.col("version").alias("base_version"),
        pl.col("key").alias(key_column(SYNC_TARGETS[table])),
    )
    staging.fill(connection, context.run_id, table, rows)


def _reject_duplicates(
    connection: Connection, context: RunContext, table: str, of_table: Sequence[PartitionState], keys: pl.DataFrame
) -> None:
    """Keys that several partitions have: the first one's row stands, the others go into quarantine."""
    if keys.get_column("partition_no").n_unique() < 2:
        return
    later = repeated_keys(keys)
    if later.is_empty():
        return
    aside = changes.set_duplicates_aside(connection, context.run_id, table, later.rows())
    key = key_column(SYNC_TARGETS[table])
    reason = {
        "rule": BuiltinRule.DUPLICATE_KEY,
        "field": key,
        "message": "an earlier row of the source has the same key",
    }
    for number, rows in rows_as_read(context, table, of_table, aside, reason):
        reader = quarantine.Reader(context.run_id, number)
        quarantine.add(connection, context.county_id, context.run_id, table, reader, rows)


def _end_without_changes(connection: Connection, context: RunContext) -> None:
    """A run that was to be looked at first, and would change nothing: there is nothing to approve."""
    staging.drop(connection, context.run_id)
    runs.set_run(connection, context.county_id, context.run_id, active=False)
    jobs.set_status(connection, context.county_id, context.run_id, "succeeded")


def _decide(
    context: RunContext, tables: dict[str, TableOutcome], guarded: list[GuardFinding], notes: list[SourceNote]
) -> Outcome:
    counts = {name: table.counts for name, table in tables.items()}
    county_id, run_id = context.county_id, context.run_id
    with unit_of_work(county_id) as connection:
        _hold(connection, context)
        runs.set_findings(connection, county_id, run_id, counts, guarded, notes)
        if all(table.unchanged for table in tables.values()) and runs.is_published(connection, context.run):
            # nothing to show, to keep or to apply; only how far the source has been read moves on
            staging.drop(connection, run_id)
            watermarks.move(connection, county_id, run_id, context.run.plan)
            runs.set_run(connection, county_id, run_id, active=False)
            jobs.set_status(connection, county_id, run_id, "succeeded")
            return "unchanged"
        if context.run.validate_only and not guarded and not any(one.differences for one in counts.values()):
            _end_without_changes(connection, context)
            return "unchanged"
        if context.run.validate_only or guarded:
            runs.set_run(connection, county_id, run_id, active=False)
            jobs.set_status(connection, county_id, run_id, "awaiting_approval")
            return "awaiting_approval"
    return "apply"
