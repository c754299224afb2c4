"""Reconcile: removed rows, keys read twice, rules of the whole table, guards, and the run's difference."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from functions.sync.domain.guards import TableOutcome, guard_findings, source_notes
from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import RunState
from functions.sync.engine import value_guards
from functions.sync.engine.earlier_versions import reconcile_table
from functions.sync.engine.lost_keys import read_keys_with_recovery
from functions.sync.engine.removed_rows import CHANGED_ONLY, removed_keys, repeated_keys, resolved_quarantine_keys
from functions.sync.engine.run_context import RunContext, load, require_running
from functions.sync.engine.run_log import log_state
from functions.sync.engine.source_rows import source_rows_of
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
from functions.sync.schemas.runs import SourceNote
from functions.sync.staged_data import require_no_later_changes, require_staged_rows
from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS, key_column
from shared.jobs import repository as jobs
from shared.mapping.rules.rule_names import BuiltinRule
from shared.problems import Conflict
from shared.rolls import closing

Outcome = Literal["apply", "awaiting_approval", "unchanged"]


def reconcile_run(county_id: str, run_id: UUID) -> Outcome:
    """Compare the whole run with its source and its targets, and decide what follows. Idempotent.

    Raises Conflict where a partition is not done or staged rows are lost, SourceUnavailable.
    """
    outcome = _reconcile(county_id, run_id)
    log_state("reconciled", county_id, run_id, outcome=outcome)
    return outcome


def _reconcile(county_id: str, run_id: UUID) -> Outcome:
    context = load(county_id, run_id)
    if context.run.applied_at is not None:
        return "apply"
    with unit_of_work(county_id) as connection:
        if runs.is_being_applied(connection, run_id):  # by the database, for an execution that has ended
            return "apply"
        run_partitions = partitions.of_run(connection, county_id, run_id)
        full_reads = {plan.whole_run for plan in context.run.plan.values() if plan.whole_run is not None}
        full_read_runs = {full_read: runs.find(connection, county_id, full_read) for full_read in full_reads}
    pending = [partition.name for partition in run_partitions if partition.status != "done"]
    if pending:
        raise Conflict(f"Not everything has been read: {pending[0]} and {len(pending) - 1} more.")
    tables = {
        table: _reconcile_table(context, table, [part for part in run_partitions if part.table_name == table])
        for table in _tables_in_order(context)
    }
    earlier = {name: full_read_runs.get(plan.whole_run) for name, plan in context.run.plan.items() if plan.whole_run}
    limits = context.configuration.data_ingestion_settings.guards
    guarded = guard_findings(context.run, limits, earlier, tables, _standing_roll_back(context))
    return _decide(context, tables, guarded, source_notes(context.run, earlier))


def _tables_in_order(context: RunContext) -> list[str]:
    """The run's tables, referenced ones first; a roll-back restores what was there, whatever refers to what."""
    if context.run.rolls_back is not None:
        return list(context.run.plan)
    return referenced_first(context.mapping, list(context.run.plan))


def _standing_roll_back(context: RunContext) -> RunState | None:
    """The roll-back of a sync after which this run is the first sync."""
    if not context.run.reads_source:
        return None
    with unit_of_work(context.county_id) as connection:
        return runs.standing_roll_back(connection, context.county_id)


def _reconcile_table(context: RunContext, table: str, table_partitions: Sequence[PartitionState]) -> TableOutcome:
    plan = context.run.plan[table]
    if context.run.rolls_back is not None:
        with unit_of_work(context.county_id) as connection:
            _lock_run(connection, context)
            return reconcile_table(connection, context, table, table_partitions)
    read = sum(partition.rows_read or 0 for partition in table_partitions)
    rejected = sum(partition.rows_rejected or 0 for partition in table_partitions)
    counts = TableCounts(read_by=plan.read_by, read=read, rejected=rejected)
    if all(partition.unchanged for partition in table_partitions) and not _may_remove(context, table, table_partitions):
        with unit_of_work(context.county_id) as connection:
            live_rows = targets.count_live(connection, context.county_id, table)
        return TableOutcome(counts.model_copy(update={"known": live_rows}), unchanged=True, source_count=None)
    source_count = _count_source(context, table) if plan.read_by == "whole" else None
    table_partitions, keys = read_keys_with_recovery(context, table, table_partitions)
    with unit_of_work(context.county_id) as connection:
        live = targets.live_keys(connection, context.county_id, table)
    removed = removed_keys(context, table, live, keys)
    with unit_of_work(context.county_id) as connection:
        _lock_run(connection, context)
        present = staging.count(connection, context.run_id, table)
        if present.pop(staging.REMOVE, 0):  # of an earlier attempt
            changes.clear_removals(connection, context.run_id, table)
        require_staged_rows(table, sum(present.values()), sum(part.rows_staged or 0 for part in table_partitions))
        _stage_removals(connection, context, table, removed)
        _reject_duplicates(connection, context, table, table_partitions, keys)
        check_across_rows(connection, context, table, table_partitions)
        warned = warnings.count(connection, context.county_id, context.run_id, table)
        repeated = quarantine.count_rule(
            connection, context.county_id, context.run_id, table, BuiltinRule.DUPLICATE_KEY
        )
        staged, excluded = changes.count_staged(connection, context.run_id, table)
        closed_rolls = _closed_roll_rows(connection, context, table)
        if staged.keys() & {"changed", "returned"}:
            columns = context.columns(table)
            for statement in _finding_statements(context, table, columns):
                connection.exec_driver_sql(statement)
        update = {
            "known": live.height,
            "rejected": rejected + excluded,
            "repeated_keys": repeated,
            "warned": warned,
            **staged,
        }
        counts = counts.model_copy(update=update)
        fields, findings_of_values = _judge_values(connection, context, table, counts) if counts.changed else ({}, ())
        counts = counts.model_copy(update={"changed_fields": fields})
    idle = plan.read_by in CHANGED_ONLY and counts.differences == 0 and counts.rejected == 0
    if idle:
        with unit_of_work(context.county_id) as connection:
            open_keys = quarantine.open_keys(connection, context.county_id, table)
        idle = not resolved_quarantine_keys(context, table, table_partitions, open_keys)
    return TableOutcome(
        counts, unchanged=idle, source_count=source_count, closed_rolls=closed_rolls, value_findings=findings_of_values
    )


def _finding_statements(context: RunContext, table: str, columns: tuple[str, ...]) -> list[str]:
    """SQL of the findings on decided values; the rows of an upload are decisions themselves, and yield to none."""
    if context.run.upload_id is None:
        return findings.record_findings_sql(context.county_id, context.run_id, table, columns)
    return findings.record_replaced_decisions_sql(context.county_id, context.run_id, table, columns)


def _judge_values(
    connection: Connection, context: RunContext, table: str, counts: TableCounts
) -> tuple[dict[str, int], tuple[GuardFinding, ...]]:
    """The number of changed rows in which each field differs, and the findings of the guards on values."""
    columns = context.columns(table)
    rows = ChangedRows(connection, context.county_id, context.run_id, table)
    fields = rows.by_field(columns)
    limits = context.configuration.data_ingestion_settings.guards
    guarded = tuple(value_guards.value_findings(rows, limits, counts, fields, columns))
    return {name: changes.changed for name, changes in fields.items()}, guarded


def _closed_roll_rows(connection: Connection, context: RunContext, table: str) -> dict[closing.ClosedRoll, int]:
    """The number of rows of each closed roll that the run would change; a finding is recorded for each row."""
    if table not in closing.ROLL_TABLES:
        return {}
    columns = context.columns(table)
    years = roll_rows.years(connection, context.county_id, context.run_id, table, columns)
    closed = {roll.roll_year: roll for roll in closing.closed_rolls(connection, context.county_id, years)}
    counts = roll_rows.record_findings(connection, context.county_id, context.run_id, table, columns, closed)
    return {closed[year]: number for year, number in counts.items()}


def _may_remove(context: RunContext, table: str, table_partitions: Sequence[PartitionState]) -> bool:
    """True where an incremental run may find removed rows although no partition has changed rows."""
    read_by = context.run.plan[table].read_by
    if read_by == "change_tracking":
        return True
    removals = context.configuration.data_ingestion_settings.incremental.removals
    return read_by == "watermark" and (bool(table_partitions) or removals == "compare_keys")


def _lock_run(connection: Connection, context: RunContext) -> None:
    """Lock the run against other attempts of this task. Raises Conflict for a run that has ended."""
    run = runs.find(connection, context.county_id, context.run_id, for_update=True)
    if run is not None:
        require_running(run)


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
    staging.load(connection, context.run_id, table, rows)


def _reject_duplicates(
    connection: Connection,
    context: RunContext,
    table: str,
    table_partitions: Sequence[PartitionState],
    keys: pl.DataFrame,
) -> None:
    """Reject rows whose key an earlier partition has read too."""
    if keys.get_column("partition_no").n_unique() < 2:
        return
    later = repeated_keys(keys)
    if later.is_empty():
        return
    excluded = changes.exclude(connection, context.run_id, table, later.rows())
    key = key_column(SYNC_TARGETS[table])
    reason = {
        "rule": BuiltinRule.DUPLICATE_KEY,
        "field": key,
        "message": "an earlier row of the source has the same key",
    }
    for number, rows in source_rows_of(context, table, table_partitions, excluded, reason):
        reading = quarantine.ReadingPartition(context.run_id, number)
        quarantine.add(connection, context.county_id, context.run_id, table, reading, rows)


def _end_without_changes(connection: Connection, context: RunContext) -> None:
    """End a run with validate_only that would change nothing: there is nothing to approve."""
    staging.drop(connection, context.run_id)
    runs.set_run(connection, context.county_id, context.run_id, active=False)
    jobs.set_status(connection, context.county_id, context.run_id, "succeeded")


def _decide(
    context: RunContext, tables: dict[str, TableOutcome], guarded: list[GuardFinding], notes: list[SourceNote]
) -> Outcome:
    counts = {name: table.counts for name, table in tables.items()}
    county_id, run_id = context.county_id, context.run_id
    with unit_of_work(county_id) as connection:
        _lock_run(connection, context)
        runs.set_findings(connection, county_id, run_id, counts, guarded, notes)
    if not context.run.validate_only:
        require_no_later_changes(context.run, guarded)
    with unit_of_work(county_id) as connection:
        _lock_run(connection, context)
        if all(table.unchanged for table in tables.values()) and runs.is_published(connection, context.run):
            # nothing to apply or to publish; only the watermarks advance
            staging.drop(connection, run_id)
            watermarks.advance(connection, county_id, run_id, context.run.plan)
            runs.set_run(connection, county_id, run_id, active=False)
            jobs.set_status(connection, county_id, run_id, "succeeded")
            return "unchanged"
        if context.run.validate_only and not guarded and not any(table.differences for table in counts.values()):
            _end_without_changes(connection, context)
            return "unchanged"
        if context.run.validate_only or (guarded and context.run.rolls_back is None):
            runs.set_run(connection, county_id, run_id, active=False)
            jobs.set_status(connection, county_id, run_id, "awaiting_approval")
            return "awaiting_approval"
    return "apply"
