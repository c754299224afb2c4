"""A county's rules that need the whole table: uniqueness, and references to another table."""

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.engine.source_rows import source_rows_of
from functions.sync.repository import changes, partitions, quarantine, uploaded_rows, validation, warnings
from functions.sync.repository.validation import StagedKey
from shared.mapping import CountyMapping
from shared.mapping.rules.rule_models import Reference, TableRule, Unique
from shared.mapping.rules.rule_names import BuiltinRule
from shared.mapping.targets import target_tables

_PROPERTIES, _PROPERTY_ID = "properties_operational", "property_id"


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
    if context.run.upload_id is not None:
        _require_rows(connection, context, table, table_partitions)
    for rule in _rules(context, table):
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
        _reject(connection, context, table, table_partitions, violations, reason)
        numbers = sorted({number for _, number in violations})
        partitions.clear_digests(connection, context.county_id, context.run_id, table, numbers)


def _rules(context: RunContext, table: str) -> Iterator[TableRule]:
    """The mapping's rules of the whole table; rows of an upload also belong to a property that is there."""
    for rule in context.mapping.table(table).validations:
        if isinstance(rule, Unique | Reference):
            yield rule
    if context.run.upload_id is not None and table != _PROPERTIES and _PROPERTY_ID in context.columns(table):
        yield Reference(rule="reference", field=_PROPERTY_ID, table=_PROPERTIES)


def _require_rows(
    connection: Connection, context: RunContext, table: str, table_partitions: Sequence[PartitionState]
) -> None:
    """Reject rows of an upload that have no row of the table to change, where it adds none.

    It never adds properties, and other rows where it fills all that a row needs.
    """
    target = target_tables()[table]
    needed = {column.name for column in target.columns.values() if column.required}
    adds_rows = table != _PROPERTIES and needed <= set(context.columns(table))
    violations = uploaded_rows.without_row(connection, context.run_id, table, adds_rows=adds_rows)
    if violations:
        message = f"{table} has no row of this {target.key}, or a retired one"
        reason = {"rule": BuiltinRule.ROW_EXISTS, "field": target.key, "message": message}
        _reject(connection, context, table, table_partitions, violations, reason)


def _reject(
    connection: Connection,
    context: RunContext,
    table: str,
    table_partitions: Sequence[PartitionState],
    violations: Sequence[StagedKey],
    reason: dict[str, str],
) -> None:
    """Exclude staged rows from Apply, and put their source rows into quarantine."""
    changes.exclude(connection, context.run_id, table, violations)
    for number, rows in source_rows_of(context, table, table_partitions, violations, reason):
        reading = quarantine.ReadingPartition(context.run_id, number)
        quarantine.add(connection, context.county_id, context.run_id, table, reading, rows)


def _violations(connection: Connection, context: RunContext, table: str, rule: TableRule) -> list[StagedKey]:
    county_id, run_id = context.county_id, context.run_id
    if isinstance(rule, Unique):
        return validation.duplicates(connection, county_id, run_id, table, rule.fields)
    return validation.missing_references(connection, county_id, run_id, table, rule.field, rule.table)


def _message(rule: TableRule) -> str:
    if isinstance(rule, Unique):
        return f"another row has the same {' and '.join(rule.fields)}"
    return f"{rule.table} has no row of this {rule.field}"
