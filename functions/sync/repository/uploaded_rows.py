"""Rows of uploads: compared with the target by the values that they bring, and applied as decisions.

An upload decides the fields that it fills and nothing else of a row: what the source said of the row (`row_hash`), and
which system has it, stay; an empty cell leaves its field, an attribute that the file lacks stays.
"""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from functions.sync.repository.targets import comparable_sql
from functions.sync.repository.validation import StagedKey
from shared.contracts.sync_run import TableCounts
from shared.db.literals import uuid_literal
from shared.db.models import BEGINS, PLATFORM_SOURCE, SYNC_TARGETS, keep_versions, key_column
from shared.precedence import overrides
from shared.precedence.overrides import ATTRIBUTES, Decision


def keep_differing(
    connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str], number: int
) -> int:
    """Complete a partition's staged rows by the values that they leave, and drop those that change nothing; the number
    of rows that stay.
    """
    key, table = identifier(key_column(SYNC_TARGETS[target])), identifier(target)
    staged = staging.table_name(run_id, target)
    own = [name for name in columns if name != key_column(SYNC_TARGETS[target])]
    same_row = f"t.county_id = :county_id AND t.{key} = s.{key} AND s.partition_no = :number AND s.action = 'U'"
    parameters = {"county_id": county_id, "number": number}
    if own:
        completed = ", ".join(f"{identifier(name)} = {_completed(name)}" for name in own)
        connection.execute(text(f"UPDATE {staged} AS s SET {completed} FROM {table} AS t WHERE {same_row}"), parameters)
    same = " AND ".join(f"{comparable_sql('s', name)} IS NOT DISTINCT FROM {comparable_sql('t', name)}" for name in own)
    connection.execute(
        text(f"DELETE FROM {staged} AS s USING {table} AS t WHERE {same_row} AND {same or 'true'}"), parameters
    )
    rows = connection.execute(text(f"SELECT count(*) FROM {staged} WHERE partition_no = :number"), parameters)
    return int(rows.scalar_one())


def without_row(connection: Connection, run_id: UUID, target: str, *, adds_rows: bool) -> list[StagedKey]:
    """Staged rows that name no row of the target that they may change: retired ones, and new ones where the upload
    adds none.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    actions = "'R'" if adds_rows else "'R', 'A'"
    rows = connection.exec_driver_sql(
        f"SELECT {key}, partition_no FROM {staging.table_name(run_id, target)} WHERE action IN ({actions}) ORDER BY 1"
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def apply_sql(
    county_id: str, run_id: UUID, target: str, columns: Sequence[str], expected: TableCounts, decision: Decision
) -> list[str]:
    """SQL that writes the staged rows of an upload: changed fields as overrides, new rows as the platform's own."""
    model = SYNC_TARGETS[target]
    key, table = identifier(key_column(model)), identifier(target)
    staged, run = staging.table_name(run_id, target), uuid_literal(run_id)
    names = [identifier(name) for name in columns]
    own = [name for name in names if name != key]
    same = f"t.county_id = {literal(county_id)} AND t.{key} = s.{key} AND s.action = 'U'"
    update = (
        f"UPDATE {table} AS t SET {''.join(f'{name} = s.{name}, ' for name in own)}version = t.version + 1,"
        f" valid_from = {BEGINS}, sync_run_id = {run} FROM {staged} AS s WHERE {same}"
    )
    decided = [name for name in columns if name != key_column(model)]
    changed = [
        keep_versions(model, f"JOIN {staged} AS s ON {same}", run),
        update,
        overrides.record_sql(county_id, model, decided, decision, f"h.superseded_by_run = {run}"),
    ]
    added = (
        f"INSERT INTO {table} (county_id, {', '.join(names)}, row_hash, source_system, sync_run_id, version,"
        f" valid_from) SELECT {literal(county_id)}, {', '.join(f's.{name}' for name in names)}, '',"
        f" {literal(PLATFORM_SOURCE)}, {run}, 1, now() FROM {staged} AS s WHERE s.action = 'A'"
    )
    return [*(changed if expected.changed else ()), *((added,) if expected.added else ())]


def _completed(name: str) -> str:
    """SQL of a staged row's value where it has one, else the target's; attributes key by key."""
    column = identifier(name)
    if name == ATTRIBUTES:
        return f"nullif(coalesce(t.{column}, '{{}}') || jsonb_strip_nulls(coalesce(s.{column}, '{{}}')), '{{}}')"
    return f"coalesce(s.{column}, t.{column})"
