"""Overrides: a decided value of a field stands until the source's own value of that field changes.

A decision (an edit, an approved value, an upload, an appeal) makes a new version of a row. Each field that differs from
the version before is an override: its value, and the source's value that it replaced. Rows of a source are staged
first. Where the source still has the replaced value, the staged row takes the override's value (and the column `held`
keeps the source's); where it has another one, the source's value is taken, and the override ends. Keys of `attributes`
are fields of their own. All statements join the active overrides, so that rows without any cost nothing.
"""
# ruff: noqa: S608 - names are quoted identifiers of models; values are literals or parameters

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from shared.db.literals import uuid_literal
from shared.db.models import SYNC_TARGETS, SyncedModel, history_table, key_column

Origin = Literal["edit", "approval", "upload", "appeal"]

ATTRIBUTES = "attributes"
ATTRIBUTE_PREFIX = f"{ATTRIBUTES}."
_OWN_KEY = f"substr({{}}, {len(ATTRIBUTE_PREFIX) + 1})"
"""SQL of the attribute's own key in a field's name."""

UPDATED_ROWS = "action IN ('U', 'R')"
"""SQL of the staged rows of which the target has another version, retired or not."""


@dataclass(frozen=True)
class Decision:
    """A decision: who made it, and the id of its approval, upload or appeal, or one of the edit's own."""

    decision_id: UUID
    origin: Origin
    made_by: str


def record(
    connection: Connection,
    county_id: str,
    model: SyncedModel,
    fields: Sequence[str],
    decision: Decision,
    condition: str,
    parameters: Mapping[str, object],
) -> None:
    """Record the overrides of a decision: the present versions of rows (`t`) compared with those before (`h`).

    `fields` are the columns that it could change, `condition` is one of SQL on both versions, with `parameters`.
    """
    values = {
        "county_id": county_id,
        "table_name": model.__tablename__,
        "decision_id": decision.decision_id,
        "origin": decision.origin,
        "made_by": decision.made_by,
    }
    statement = _record_statement(model, fields, condition, {name: f":{name}" for name in values})
    connection.execute(text(statement), {**parameters, **values})


def record_sql(county_id: str, model: SyncedModel, fields: Sequence[str], decision: Decision, condition: str) -> str:
    """SQL of `record` without parameters, for a script that the server executes by itself."""
    values = {
        "county_id": literal(county_id),
        "table_name": literal(model.__tablename__),
        "decision_id": uuid_literal(decision.decision_id),
        "origin": literal(decision.origin),
        "made_by": literal(decision.made_by),
    }
    return _record_statement(model, fields, condition, values)


def _record_statement(model: SyncedModel, fields: Sequence[str], condition: str, values: Mapping[str, str]) -> str:
    table, history, key = model.__tablename__, history_table(model).name, identifier(key_column(model))
    plain = [f"({literal(name)}, {_json('h', name)}, {_json('t', name)})" for name in fields if name != ATTRIBUTES]
    compared = [f"SELECT * FROM (VALUES {', '.join(plain)}) AS plain"] if plain else []
    if ATTRIBUTES in fields:
        compared.append(
            f"SELECT {literal(ATTRIBUTE_PREFIX)} || k, coalesce(h.attributes -> k, 'null'),"
            " coalesce(t.attributes -> k, 'null')"
            " FROM jsonb_object_keys(coalesce(h.attributes, '{}') || coalesce(t.attributes, '{}')) AS k"
        )
    county, decision_id = values["county_id"], values["decision_id"]
    return (
        f"WITH made AS (SELECT t.{key} AS row_key, t.version, f.* FROM {identifier(history)} AS h"
        f" JOIN {identifier(table)} AS t ON t.county_id = h.county_id AND t.{key} = h.{key}"
        f" AND t.version = h.version + 1 CROSS JOIN LATERAL ({' UNION ALL '.join(compared)})"
        f" AS f (field, before, value) WHERE h.county_id = {county} AND {condition} AND f.before <> f.value"
        "), ended AS ("
        f" UPDATE field_overrides AS o SET ended_at = now(), ended_why = 'replaced', ended_by = {decision_id}"
        f" FROM made AS m WHERE o.county_id = {county} AND o.table_name = {values['table_name']}"
        " AND o.row_key = m.row_key AND o.field = m.field AND o.ended_at IS NULL"
        " RETURNING o.row_key, o.field, o.source_value)"
        " INSERT INTO field_overrides (county_id, table_name, row_key, field, version, value, source_value, origin,"
        f" decision_id, made_by) SELECT {county}, {values['table_name']}, m.row_key, m.field, m.version, m.value,"
        f" coalesce(e.source_value, m.before), {values['origin']}, {decision_id}, {values['made_by']}"
        " FROM made AS m LEFT JOIN ended AS e ON e.row_key = m.row_key AND e.field = m.field"
    )


def withdraw(connection: Connection, county_id: str, decision_id: UUID, withdrawal_id: UUID) -> None:
    """End the active overrides of a decision; those that it had replaced are active again."""
    parameters = {"county_id": county_id, "decision_id": decision_id, "withdrawal_id": withdrawal_id}
    connection.execute(
        text(
            "UPDATE field_overrides SET ended_at = now(), ended_why = 'withdrawn', ended_by = :withdrawal_id"
            " WHERE county_id = :county_id AND decision_id = :decision_id AND ended_at IS NULL"
        ),
        parameters,
    )
    connection.execute(
        text(
            "UPDATE field_overrides AS o SET ended_at = NULL, ended_why = NULL, ended_by = NULL"
            " FROM field_overrides AS w WHERE o.county_id = :county_id AND o.ended_by = :decision_id"
            " AND o.ended_why = 'replaced' AND w.county_id = :county_id AND w.ended_by = :withdrawal_id"
            " AND w.table_name = o.table_name AND w.row_key = o.row_key AND w.field = o.field"
        ),
        parameters,
    )


def active_sql(county_id: str, target: str) -> str:
    """SQL of the active overrides `o` of a table."""
    return f"o.county_id = {literal(county_id)} AND o.table_name = {literal(target)} AND o.ended_at IS NULL"


def staged_value_sql(columns: Collection[str]) -> str:
    """SQL of the staged row's (`s`) value of the field of the override `o`; NULL where the mapping does not fill it."""
    cases = [
        f"WHEN o.field = {literal(name)} THEN {_json('s', name)}" for name in sorted(columns) if name != ATTRIBUTES
    ]
    if ATTRIBUTES in columns:
        key = _OWN_KEY.format("o.field")
        attribute = f"starts_with(o.field, {literal(ATTRIBUTE_PREFIX)})"
        cases.append(f"WHEN {attribute} THEN coalesce(s.attributes -> {key}, 'null')")
    return f"CASE {' '.join(cases)} END"


def apply_sql(county_id: str, target: str, staged: str, columns: Sequence[str]) -> list[str]:
    """SQL that applies the active overrides to staged rows where the source still has the value that they replaced.

    `held` keeps the source's values of those fields. Idempotent: executed again, it applies what is active by then.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    own = [name for name in columns if name != key_column(SYNC_TARGETS[target])]
    release = f"UPDATE {staged} AS s SET held = NULL, {_taken(target, own, 's.held')} WHERE s.held IS NOT NULL"
    keep = (
        "WITH kept AS (SELECT o.row_key, jsonb_object_agg(o.field, o.value) AS decided,"
        " jsonb_object_agg(o.field, o.source_value) AS brought FROM field_overrides AS o"
        f" JOIN {staged} AS s ON s.{key} = o.row_key AND s.{UPDATED_ROWS}"
        f" WHERE {active_sql(county_id, target)} AND {staged_value_sql(own)} = o.source_value GROUP BY o.row_key)"
        f" UPDATE {staged} AS s SET held = kept.brought, {_taken(target, own, 'kept.decided')}"
        f" FROM kept WHERE s.{key} = kept.row_key AND s.{UPDATED_ROWS}"
    )
    return [release, keep]


def _taken(target: str, columns: Sequence[str], fields: str) -> str:
    """SQL that sets columns of a staged row from the JSON object `fields`."""
    plain = [name for name in columns if name != ATTRIBUTES]
    names = ", ".join(identifier(name) for name in plain)
    values = ", ".join(
        f"CASE WHEN jsonb_exists({fields}, {literal(name)}) THEN r.{identifier(name)} ELSE s.{identifier(name)} END"
        for name in plain
    )
    record_of = f"jsonb_populate_record(CAST(NULL AS {identifier(target)}), {fields}) AS r"
    taken = f"({names}) = (SELECT {values} FROM {record_of})"
    if ATTRIBUTES not in columns:
        return taken
    attribute_key = _OWN_KEY.format("k")
    return taken + (
        ", attributes = (SELECT nullif(coalesce(s.attributes, '{}')"
        f" - coalesce(array_agg({attribute_key}) FILTER (WHERE v = 'null'), '{{}}')"
        f" || coalesce(jsonb_object_agg({attribute_key}, v) FILTER (WHERE v <> 'null'), '{{}}'), '{{}}')"
        f" FROM jsonb_each({fields}) AS e (k, v) WHERE starts_with(k, {literal(ATTRIBUTE_PREFIX)}))"
    )


def _json(row: str, column: str) -> str:
    return f"coalesce(to_jsonb({row}.{identifier(column)}), 'null')"
