"""Findings of a run on single rows: source values that supersede decided ones, or do not add up beside them."""
# ruff: noqa: S608 - names are quoted identifiers of models; values are literals or parameters

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, Row, delete, func, select

from functions.sync.repository import staging
from functions.sync.schemas.runs import FindingFilter, FindingKind
from shared.db.hash_joins import joined_by_hash
from shared.db.literals import uuid_literal
from shared.db.models import SYNC_TARGETS, SyncFinding, key_column
from shared.precedence import overrides

_VALUES = ("land_value", "improvement_value", "total_value")


def record_findings_sql(county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> list[str]:
    """SQL that applies standing overrides to the staged rows, and records conflicts and disagreeing values.
    Idempotent.
    """
    hold_overrides = overrides.apply_sql(county_id, target, staging.table_name(run_id, target), columns)
    conflicts = [_delete_sql(county_id, run_id, target), _conflicts(county_id, run_id, target, columns)]
    statements = joined_by_hash([*hold_overrides, *conflicts])
    if _brings_values(target, columns):
        statements.append(_disagreeing_values(county_id, run_id, target, columns))
    return statements


def record_replaced_decisions_sql(county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> list[str]:
    """SQL that records the decided values that the staged rows of an upload would replace. Idempotent."""
    brought = overrides.staged_value_sql(_non_key(target, columns))
    replaced = _superseded_decisions(county_id, run_id, target, brought, f"{brought} <> o.value")
    statements = [_delete_sql(county_id, run_id, target), replaced]
    if _brings_values(target, columns):
        statements.append(_disagreeing_values(county_id, run_id, target, columns, of_upload=True))
    return statements


def _delete_sql(county_id: str, run_id: UUID, target: str) -> str:
    """SQL that deletes the findings of an earlier attempt."""
    return (
        f"DELETE FROM sync_findings WHERE county_id = {literal(county_id)} AND run_id = {uuid_literal(run_id)}"
        f" AND table_name = {literal(target)} AND kind IN ('override_conflict', 'values_disagree')"
    )


def end_overrides_sql(county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> str:
    """SQL that ends the overrides of fields whose source value has changed since they were made."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    brought = overrides.staged_value_sql(_non_key(target, columns))
    return (
        "UPDATE field_overrides AS o SET ended_at = now(), ended_why ="
        f" CASE WHEN {brought} = o.value THEN 'source_agrees' ELSE 'source_changed' END,"
        f" ended_by = {uuid_literal(run_id)} FROM {staging.table_name(run_id, target)} AS s"
        f" WHERE {overrides.active_sql(county_id, target)} AND s.{key} = o.row_key AND s.{overrides.UPDATED_ROWS}"
        f" AND {brought} <> o.source_value AND NOT jsonb_exists(coalesce(s.held, '{{}}'), o.field)"
    )


def clear(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Delete a run's findings: it is planned anew."""
    connection.execute(delete(SyncFinding).where(SyncFinding.county_id == county_id, SyncFinding.run_id == run_id))


def counts(connection: Connection, county_id: str, run_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """The number of findings by run and kind."""
    rows = connection.execute(
        select(SyncFinding.run_id, SyncFinding.kind, func.count())
        .where(SyncFinding.county_id == county_id, SyncFinding.run_id.in_(list(run_ids)))
        .group_by(SyncFinding.run_id, SyncFinding.kind)
    )
    by_run: dict[UUID, dict[str, int]] = {}
    for run_id, kind, number in rows:
        by_run.setdefault(run_id, {})[kind] = int(number)
    return by_run


def page(
    connection: Connection, county_id: str, run_id: UUID, row_filter: FindingFilter, *, after: int, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """A page of a run's findings, in the order in which they were recorded."""
    statement = (
        select(
            SyncFinding.finding_no,
            SyncFinding.kind,
            SyncFinding.table_name,
            SyncFinding.row_key,
            SyncFinding.field,
            SyncFinding.details,
        )
        .where(SyncFinding.county_id == county_id, SyncFinding.run_id == run_id, SyncFinding.finding_no > after)
        .order_by(SyncFinding.finding_no)
        .limit(limit)
    )
    if row_filter.kind is not None:
        statement = statement.where(SyncFinding.kind == row_filter.kind)
    if row_filter.table is not None:
        statement = statement.where(SyncFinding.table_name == row_filter.table)
    return list(connection.execute(statement))


def _conflicts(county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> str:
    """SQL that records fields whose new source value supersedes another, decided value."""
    brought = overrides.staged_value_sql(_non_key(target, columns))
    differs = (
        f"{brought} <> o.source_value AND {brought} <> o.value AND o.value <> o.source_value"
        " AND NOT jsonb_exists(coalesce(s.held, '{}'), o.field)"
    )
    return _superseded_decisions(county_id, run_id, target, brought, differs)


def _superseded_decisions(county_id: str, run_id: UUID, target: str, brought: str, differs: str) -> str:
    """SQL that records active overrides (`o`) of which the staged row (`s`) brings another value."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    return _insert(
        county_id,
        run_id,
        "override_conflict",
        target,
        f"o.row_key, o.field, jsonb_build_object('decided', o.value, 'source_before', o.source_value, 'source',"
        f" {brought}, 'origin', o.origin, 'decision_id', o.decision_id, 'decided_by', o.made_by, 'decided_at',"
        f" o.made_at) FROM field_overrides AS o JOIN {staging.table_name(run_id, target)} AS s ON s.{key} = o.row_key"
        f" AND s.{overrides.UPDATED_ROWS} WHERE {overrides.active_sql(county_id, target)}"
        f" AND {differs} ORDER BY o.row_key, o.field",
    )


def _brings_values(target: str, columns: Sequence[str]) -> bool:
    """True where a run fills a value of a table that has land, improvements and total."""
    has_values = set(_VALUES) <= {column.name for column in SYNC_TARGETS[target].__table__.columns}
    return has_values and not set(_VALUES).isdisjoint(columns)


def _disagreeing_values(
    county_id: str, run_id: UUID, target: str, columns: Sequence[str], *, of_upload: bool = False
) -> str:
    """SQL that records rows in which source values and decided values do not add up; those of an upload are decided."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    land, improvements, total = (f"{'s' if name in columns else 't'}.{name}" for name in _VALUES)
    filled = [name for name in _VALUES if name in columns]
    field_list = ", ".join(literal(name) for name in filled)
    changed = " OR ".join(f"s.{name} IS DISTINCT FROM t.{name}" for name in filled)
    decided = f"({changed})" if of_upload else f"jsonb_exists_any(s.held, ARRAY[{field_list}])"
    return _insert(
        county_id,
        run_id,
        "values_disagree",
        target,
        f"s.{key}, NULL, jsonb_build_object('land_value', {land}, 'improvement_value', {improvements}, 'total_value',"
        f" {total}) FROM {staging.table_name(run_id, target)} AS s JOIN {identifier(target)} AS t"
        f" ON t.county_id = {literal(county_id)} AND t.{key} = s.{key} WHERE s.{overrides.UPDATED_ROWS}"
        f" AND {decided} AND {land} + {improvements} <> {total} ORDER BY s.{key}",
    )


def _insert(county_id: str, run_id: UUID, kind: FindingKind, target: str, rows: str) -> str:
    """SQL that inserts findings; `rows` selects key, field and details."""
    return (
        "INSERT INTO sync_findings (county_id, run_id, kind, table_name, row_key, field, details)"
        f" SELECT {literal(county_id)}, {uuid_literal(run_id)}, {literal(kind)}, {literal(target)}, {rows}"
    )


def _non_key(target: str, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name != key_column(SYNC_TARGETS[target])]
