"""The targets: compared with what a partition read, and changed by Apply.

Names of tables and columns come from the models; values are literals or parameters. Where COPY reads, its query
cannot have parameters.
"""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import findings, staging
from functions.sync.schemas import TableCounts
from shared import audit
from shared.db.literals import uuid_literal
from shared.db.models import BEGINS, PLATFORM_SOURCE, SYNC_TARGETS, keep_versions, key_column
from shared.precedence import overrides

if TYPE_CHECKING:
    import polars as pl

_WIDE = 3
"""A key range with this many times the rows that are asked for is joined with the keys instead of read."""


_OF_THE_SOURCE = f"source_system <> {literal(PLATFORM_SOURCE)}"
"""No source has the rows that the platform made itself, so none can miss them."""


def state_of(connection: Connection, county_id: str, target: str, keys: "pl.Series") -> "pl.DataFrame":
    """What the target has of these keys, and maybe more: key, row_hash, version, retired ("t" or "f")."""
    if keys.is_empty():
        return staging.copied(connection, _state_query(county_id, target, "false"))
    key = identifier(key_column(SYNC_TARGETS[target]))
    listed = keys.to_list()
    # the order of texts is the database's, so it is asked for the ends; as JSON, for the driver's arrays are slow
    first, last = connection.execute(
        text("SELECT min(k), max(k) FROM jsonb_array_elements_text(CAST(:keys AS jsonb)) AS u (k)"),
        {"keys": orjson.dumps(listed).decode()},
    ).one()
    between = f"t.{key} BETWEEN {literal(first)} AND {literal(last)}"
    limit = _WIDE * len(listed) + 1000
    inside = connection.exec_driver_sql(
        f"SELECT count(*) FROM (SELECT 1 FROM {identifier(target)} AS t"
        f" WHERE t.county_id = {literal(county_id)} AND {between} LIMIT {limit}) AS found"
    ).scalar_one()
    if inside < limit:
        return staging.copied(connection, _state_query(county_id, target, between))
    connection.exec_driver_sql("CREATE TEMP TABLE wanted (key text NOT NULL, filler text) ON COMMIT DROP")
    staging.copy(connection, "COPY wanted FROM STDIN (FORMAT csv)", _two_columns(keys))
    connection.exec_driver_sql("ANALYZE wanted")
    return staging.copied(connection, _state_query(county_id, target, f"t.{key} IN (SELECT key FROM wanted)"))


def live_keys(connection: Connection, county_id: str, target: str) -> "pl.DataFrame":
    """Key and version of every row of the source's that is not retired."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    return staging.copied_keys(
        connection,
        f"SELECT {key} AS key, version FROM {identifier(target)}"
        f" WHERE county_id = {literal(county_id)} AND retired_at IS NULL AND {_OF_THE_SOURCE}",
    )


def live_count(connection: Connection, county_id: str, target: str) -> int:
    """How many rows of the source's are not retired."""
    statement = text(
        f"SELECT count(*) FROM {identifier(target)} WHERE county_id = :county_id AND retired_at IS NULL"
        f" AND {_OF_THE_SOURCE}"
    )
    return int(connection.execute(statement, {"county_id": county_id}).scalar_one())


def moved_on(connection: Connection, county_id: str, run_id: UUID, target: str, *, hold: bool) -> int:
    """How many staged rows were compared with a version that the target no longer has. `hold` keeps the target's
    rows as they are until the transaction ends.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    statement = text(
        f"WITH held AS (SELECT t.{key}, t.version FROM {identifier(target)} AS t WHERE t.county_id = :county_id"
        f" AND t.{key} IN (SELECT {key} FROM {staging.table_name(run_id, target)}){' FOR UPDATE' if hold else ''})"
        f" SELECT count(*) FROM {staging.table_name(run_id, target)} AS s LEFT JOIN held USING ({key})"
        " WHERE s.action IS NOT NULL AND held.version IS DISTINCT FROM s.base_version"
    )
    return int(connection.execute(statement, {"county_id": county_id}).scalar_one())


def to_apply(
    county_id: str, run_id: UUID, target: str, columns: Sequence[str], source_system: str, expected: TableCounts
) -> list[str]:
    """SQL that brings staged rows into the target, and what they supersede into its history, in this order.

    All at the transaction's time. Of what nothing is `expected`, nothing is looked for: each look reads all that is
    staged. What is decided here is held once the rows are: a decision that was made since the run was compared counts.
    """
    model = SYNC_TARGETS[target]
    key = identifier(key_column(model))
    table, staged = identifier(target), staging.table_name(run_id, target)
    run, system = uuid_literal(run_id), literal(source_system)
    same = f"t.county_id = {literal(county_id)} AND t.{key} = s.{key}"
    names = [identifier(name) for name in columns]
    own = [identifier(name) for name in (*columns, "row_hash") if name != key_column(model)]
    provenance = f"version = t.version + 1, valid_from = {BEGINS}, sync_run_id = {run}, source_system = {system}"
    update = (
        f"UPDATE {table} AS t SET {', '.join(f'{name} = s.{name}' for name in own)}, retired_at = NULL, {provenance}"
        f" FROM {staged} AS s WHERE {same} AND s.action = "
    )
    retire = (
        f"UPDATE {table} AS t SET retired_at = now(), {provenance} FROM {staged} AS s WHERE {same} AND s.action = 'D'"
    )
    insert = (
        f"INSERT INTO {table} (county_id, {', '.join(names)}, row_hash, source_system, sync_run_id, version,"
        f" valid_from) SELECT {literal(county_id)}, {', '.join(f's.{name}' for name in names)}, s.row_hash, {system},"
        f" {run}, 1, now() FROM {staged} AS s WHERE s.action = 'A'"
    )
    superseded = expected.differences - expected.added
    brought = expected.changed + expected.returned
    steps = {
        keep_versions(model, f"JOIN {staged} AS s ON {same} WHERE s.action <> 'A'", run): superseded,
        **dict.fromkeys(findings.to_find(county_id, run_id, target, columns), brought),
        findings.to_end_overrides(county_id, run_id, target, columns): brought,
        f"{update}'U'": expected.changed,
        f"{update}'R'": expected.returned,
        retire: expected.removed,
        insert: expected.added,
    }
    return [statement for statement, rows in steps.items() if rows]


def to_give_way(county_id: str, run_id: UUID, actor: str) -> list[str]:
    """SQL that retires assessments of the platform's own where the county's record of the year is there by now.

    A table that has just been loaded has no statistics yet, and nearly all its rows are of one year: `+ 0` keeps the
    planner from looking rows up by the index of years, which would compare each with all.
    """
    made = (
        f"t.county_id = {literal(county_id)} AND t.source_system = {literal(PLATFORM_SOURCE)} AND t.retired_at IS NULL"
        f" AND EXISTS (SELECT 1 FROM assessments AS own WHERE own.county_id = {literal(county_id)}"
        " AND own.property_id = t.property_id AND own.roll_year + 0 = t.roll_year + 0 AND own.retired_at IS NULL"
        f" AND own.source_system <> {literal(PLATFORM_SOURCE)}) AND roll_takes_changes(t.county_id, t.roll_year)"
    )
    retire = (
        f"UPDATE assessments AS t SET retired_at = now(), version = t.version + 1, valid_from = {BEGINS} WHERE {made}"
    )
    return [
        keep_versions(SYNC_TARGETS["assessments"], f"WHERE {made}", uuid_literal(run_id)),
        audit.counted(county_id, actor, "sync.assessments_gave_way", f"sync-runs/{run_id}", "assessments", retire),
    ]


def differing_keys(
    connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str], rows: "pl.DataFrame"
) -> list[str]:
    """The keys of those of `rows` that the target has with other values than the source and the decisions say.

    For rows of which the source says what it said before: somebody has written to the target.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    staging.fill_like(connection, run_id, target, "compared", rows)
    for statement in overrides.hold(county_id, target, "compared", columns):
        connection.exec_driver_sql(statement)
    differs = " OR ".join(f"{_comparable('t', name)} IS DISTINCT FROM {_comparable('s', name)}" for name in columns)
    found = connection.exec_driver_sql(
        f"SELECT s.{key} FROM compared AS s JOIN {identifier(target)} AS t ON t.county_id = {literal(county_id)}"
        f" AND t.{key} = s.{key} WHERE {differs}"
    )
    return [str(row[0]) for row in found]


def _comparable(row: str, column: str) -> str:
    """An attribute that is null is one that is not there."""
    value = f"{row}.{identifier(column)}"
    return f"nullif(jsonb_strip_nulls({value}), '{{}}')" if column == overrides.ATTRIBUTES else value


def _state_query(county_id: str, target: str, where: str) -> str:
    key = identifier(key_column(SYNC_TARGETS[target]))
    return (
        f"SELECT t.{key} AS key, t.row_hash, t.version, t.retired_at IS NOT NULL AS retired"
        f" FROM {identifier(target)} AS t WHERE t.county_id = {literal(county_id)} AND {where}"
    )


def _two_columns(keys: "pl.Series") -> "pl.DataFrame":
    """A second column, because a line of one empty field would be no line."""
    import polars as pl

    return keys.alias("key").to_frame().with_columns(filler=pl.lit(""))
