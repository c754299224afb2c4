"""Roll-back of a run: its rows are staged as they were before it, and what stands against that is found.

The machine does the rest as for any run: one transaction, history, publication. Guards on values do not apply, since
what is restored was the county's truth.
"""

import time
from collections.abc import Sequence

from sqlalchemy import Connection

from functions.sync.domain.guards import TableOutcome
from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.engine.partition_claim import claim
from functions.sync.engine.run_context import RunContext
from functions.sync.repository import changes, earlier_versions, partitions, targets
from functions.sync.repository.value_changes import ChangedRows
from functions.sync.staged_data import require_staged_rows
from shared.contracts.source_rows import Key
from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.db import unit_of_work


def plan_tables(run: RunState, rolled_back: RunState, rows: int) -> dict[str, tuple[TablePlan, list[Key]]]:
    """The plan of each table that a run has written, and the keys at which its ranges of `rows` rows end."""
    planned = {}
    with unit_of_work(run.county_id) as connection:
        for table in rolled_back.plan:
            count, ends = earlier_versions.cut(connection, run.county_id, rolled_back.run_id, table, rows)
            plan = TablePlan(columns={}, reads="", mapping_digest="", read_by="history", rows=count)
            planned[table] = (plan, ends)
    return planned


def stage_earlier_versions(context: RunContext, partition: PartitionState, started: float) -> PartitionState:
    """Stage the rows of a partition as they were before the run that is rolled back, and record those that cannot go
    back.
    """
    county_id, run, table = context.county_id, context.run, partition.table_name
    lower, upper = (None if key is None else str(key[0]) for key in (partition.lower_key, partition.upper_key))
    if run.rolls_back is None:
        raise LookupError(f"run {run.run_id} rolls no run back")
    with unit_of_work(county_id) as connection:
        if not claim(connection, context, partition):
            return partitions.find(connection, county_id, run.run_id, table, partition.partition_no) or partition
        earlier_versions.collect(connection, county_id, table, rolled_back=run.rolls_back, lower=lower, upper=upper)
        staged = earlier_versions.stage(
            connection,
            county_id,
            run.run_id,
            table,
            context.columns(table),
            rolled_back=run.rolls_back,
            number=partition.partition_no,
        )
        blocked = earlier_versions.record_later_changes(connection, county_id, run.run_id, table)
        done = partition.model_copy(
            update={
                "status": "done",
                "rows_read": staged + blocked,
                "rows_good": staged,
                "rows_rejected": 0,
                "rows_staged": staged,
            }
        )
        partitions.finish(connection, county_id, done, time.monotonic() - started)
    return done


def reconcile_table(
    connection: Connection, context: RunContext, table: str, table_partitions: Sequence[PartitionState]
) -> TableOutcome:
    """The counts of a table's staged rows, and the rows that cannot go back as a finding."""
    staged, _ = changes.count_staged(connection, context.run_id, table)
    read = sum(partition.rows_read or 0 for partition in table_partitions)
    expected = sum(partition.rows_staged or 0 for partition in table_partitions)
    require_staged_rows(table, sum(staged.values()), expected)
    counts = TableCounts(
        read_by="history", known=targets.count_live(connection, context.county_id, table), read=read, **staged
    )
    if counts.changed:
        fields = ChangedRows(connection, context.county_id, context.run_id, table).by_field(context.columns(table))
        changed = {name: change.changed for name, change in fields.items()}
        counts = counts.model_copy(update={"changed_fields": changed})
    blocked = read - expected
    found = (_later_changes(table, blocked, read),) if blocked else ()
    return TableOutcome(counts, unchanged=not counts.differences, source_count=None, value_findings=found)


def _later_changes(table: str, blocked: int, rows: int) -> GuardFinding:
    detail = f"{blocked:,} of {rows:,} rows have changed since, or belong to a closed roll"
    return GuardFinding(guard="later_changes", table=table, detail=detail, share=blocked / rows, rows=blocked)
