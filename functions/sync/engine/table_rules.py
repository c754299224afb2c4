"""A county's rules that need the whole table: uniqueness, and references to another table."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.engine.source_rows import rows_as_read
from functions.sync.repository import changes, partitions, quarantine, validation, warnings
from functions.sync.repository.validation import StagedKey
from shared.mapping import CountyMapping
from shared.mapping.rules.rule_models import Reference, TableRule, Unique


def referenced_first(mapping: CountyMapping, tables: Sequence[str]) -> list[str]:
    """The tables in an order in which a rule finds the table that it refers to done; the mapping's order otherwise."""
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
    connection: Connection, context: RunContext, table: str, of_table: Sequence[PartitionState]
) -> None:
    """Apply the rules to the staged rows: those that break one are set aside into quarantine, or warned of. Safe to run
    again. A row that is set aside is looked at again by the next run, for the row that it lacks may come.
    """
    warnings.clear(connection, context.county_id, context.run_id, table, warnings.ACROSS_ROWS)
    for rule in context.mapping.table(table).validations:
        if not isinstance(rule, Unique | Reference):
            continue
        broken = _broken(connection, context, table, rule)
        if not broken:
            continue
        reason = {"rule": rule.rule, "field": rule.columns[0], "message": _message(rule)}
        if rule.severity == "warn":
            rows = [row for _, found in rows_as_read(context, table, of_table, broken, reason) for row in found]
            warnings.add(connection, context.county_id, context.run_id, table, warnings.ACROSS_ROWS, rows)
            continue
        changes.set_duplicates_aside(connection, context.run_id, table, broken)
        for number, rows in rows_as_read(context, table, of_table, broken, reason):
            reader = quarantine.Reader(context.run_id, number)
            quarantine.add(connection, context.county_id, context.run_id, table, reader, rows)
        numbers = sorted({number for _, number in broken})
        partitions.forget_digests(connection, context.county_id, context.run_id, table, numbers)


def _broken(connection: Connection, context: RunContext, table: str, rule: TableRule) -> list[StagedKey]:
    county_id, run_id = context.county_id, context.run_id
    if isinstance(rule, Unique):
        return validation.not_unique(connection, county_id, run_id, table, rule.fields)
    return validation.without_referenced(connection, county_id, run_id, table, rule.field, rule.table)


def _message(rule: TableRule) -> str:
    if isinstance(rule, Unique):
        return f"another row has the same {' and '.join(rule.fields)}"
    return f"{rule.table} has no row of this {rule.field}"
