"""A county's rules that need the whole table: uniqueness, and references to another table."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.engine.source_rows import source_rows_of
from functions.sync.repository import changes, partitions, quarantine, validation, warnings
from functions.sync.repository.validation import StagedKey
from shared.mapping import CountyMapping
from shared.mapping.rules.rule_models import Reference, TableRule, Unique


def referenced_first(mapping: CountyMapping, tables: Sequence[str]) -> list[str]:
    """The tables in topological order of their references; in the given order where references form a cycle."""
    graph = {
        table.target_table_name: [rule.table for rule in table.validations if isinstance(rule, Reference)]
        for table in mapping.table_mappings
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(tables)
    return sorted(tables, key=order.index)


def check_across_rows(
    connection: Connection, context: RunContext, table: str, table_partitions: Sequence[PartitionState]
) -> None:
    """Apply the rules to the staged rows: those that break one are excluded and rejected, or warned of. Idempotent.

    The partition of a rejected row is read again by the next run: the row that it refers to may be there then.
    """
    warnings.clear(connection, context.county_id, context.run_id, table, warnings.ACROSS_ROWS)
    for rule in context.mapping.table(table).validations:
        if not isinstance(rule, Unique | Reference):
            continue
        violations = _violations(connection, context, table, rule)
        if not violations:
            continue
        reason = {"rule": rule.rule, "field": rule.columns[0], "message": _message(rule)}
        if rule.severity == "warn":
            rows = [
                row for _, part in source_rows_of(context, table, table_partitions, violations, reason) for row in part
            ]
            warnings.add(connection, context.county_id, context.run_id, table, warnings.ACROSS_ROWS, rows)
            continue
        changes.exclude(connection, context.run_id, table, violations)
        for number, rows in source_rows_of(context, table, table_partitions, violations, reason):
            reading = quarantine.ReadingPartition(context.run_id, number)
            quarantine.add(connection, context.county_id, context.run_id, table, reading, rows)
        numbers = sorted({number for _, number in violations})
        partitions.clear_digests(connection, context.county_id, context.run_id, table, numbers)


def _violations(connection: Connection, context: RunContext, table: str, rule: TableRule) -> list[StagedKey]:
    county_id, run_id = context.county_id, context.run_id
    if isinstance(rule, Unique):
        return validation.duplicates(connection, county_id, run_id, table, rule.fields)
    return validation.missing_references(connection, county_id, run_id, table, rule.field, rule.table)


def _message(rule: TableRule) -> str:
    if isinstance(rule, Unique):
        return f"another row has the same {' and '.join(rule.fields)}"
    return f"{rule.table} has no row of this {rule.field}"
