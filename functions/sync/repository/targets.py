"""The target tables: compared with the rows of a partition, and changed by Apply.

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

from functions.sync.job_kinds import SYNC
from functions.sync.repository import findings, staging
from shared import audit
from shared.contracts.sync_run import TableCounts
from shared.db.hash_joins import joined_by_hash
from shared.db.literals import uuid_literal
from shared.db.models import BEGINS, PLATFORM_SOURCE, SYNC_TARGETS, keep_versions, key_column
from shared.precedence import overrides

if TYPE_CHECKING:
    import polars as pl

_MAX_RANGE_RATIO = 3
"""Rows of a key range per requested key up to which the range is read; beyond that the keys are joined with the table.
A choice: it decides about speed alone."""


_FROM_SOURCE = f"source_system <> {literal(PLATFORM_SOURCE)}"
"""Rows made by the platform are in no source, so a source without them does not retire them."""


def current_rows(connection: Connection, county_id: str, target: str, keys: "pl.Series") -> "pl.DataFrame":
    """The target's rows of these keys, and possibly of others: key, row_hash, version, retired ("t" or "f")."""
    if keys.is_empty():
        return staging.query_frame(connection, _state_query(county_id, target, "false"))
    key = identifier(key_column(SYNC_TARGETS[target]))
    key_list = keys.to_list()
    # the database computes the ends, since its collation orders the keys; as JSON, since the driver's arrays are slow
    first, last = connection.execute(
        text("SELECT min(k), max(k) FROM jsonb_array_elements_text(CAST(:keys AS jsonb)) AS u (k)"),
        {"keys": orjson.dumps(key_list).decode()},
    ).one()
    between = f"t.{key} BETWEEN {literal(first)} AND {literal(last)}"
    limit = _MAX_RANGE_RATIO * len(key_list) + 1000
    inside = connection.exec_driver_sql(
        f"SELECT count(*) FROM (SELECT 1 FROM {identifier(target)} AS t"
        f" WHERE t.county_id = {literal(county_id)} AND {between} LIMIT {limit}) AS found"
    ).scalar_one()
    if inside < limit:
        return staging.query_frame(connection, _state_query(county_id, target, between))
    connection.exec_driver_sql("CREATE TEMP TABLE requested_keys (key text NOT NULL, filler text) ON COMMIT DROP")
    staging.copy_in(connection, "COPY requested_keys FROM STDIN (FORMAT csv)", _two_columns(keys))
    connection.exec_driver_sql("ANALYZE requested_keys")
    return staging.query_frame(
        connection, _state_query(county_id, target, f"t.{key} IN (SELECT key FROM requested_keys)")
    )


def live_keys(connection: Connection, county_id: str, target: str) -> "pl.DataFrame":
    """Key and version of every live row that came from the source."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    return staging.query_keys(
        connection,
        f"SELECT {key} AS key, version FROM {identifier(target)}"
        f" WHERE county_id = {literal(county_id)} AND retired_at IS NULL AND {_FROM_SOURCE}",
    )


def count_live(connection: Connection, county_id: str, target: str) -> int:
    """The number of live rows that came from the source."""
    statement = text(
        f"SELECT count(*) FROM {identifier(target)} WHERE county_id = :county_id AND retired_at IS NULL"
        f" AND {_FROM_SOURCE}"
    )
    return int(connection.execute(statement, {"county_id": county_id}).scalar_one())


def count_moved_on(connection: Connection, county_id: str, run_id: UUID, target: str, *, lock: bool) -> int:
    """The number of staged rows whose target row has another version by now than they were compared with.

    `lock` keeps the target's rows from being edited until the transaction ends.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    statement = text(
        f"WITH held AS (SELECT t.{key}, t.version FROM {identifier(target)} AS t WHERE t.county_id = :county_id"
        f" AND t.{key} IN (SELECT {key} FROM {staging.table_name(run_id, target)}){' FOR UPDATE' if lock else ''})"
        f" SELECT count(*) FROM {staging.table_name(run_id, target)} AS s LEFT JOIN held USING ({key})"
        " WHERE s.action IS NOT NULL AND held.version IS DISTINCT FROM s.base_version"
    )
    return int(connection.execute(statement, {"county_id": county_id}).scalar_one())


def apply_sql(
    county_id: str, run_id: UUID, target: str, columns: Sequence[str], source_system: str, expected: TableCounts
) -> list[str]:
    """SQL that writes staged rows into the target, and the versions that they supersede into its history.

    The statements run in the given order, and date versions at the transaction's time. Those for changes of which none
    is `expected` are left out, since each reads the whole staging table. Overrides are applied once more while the rows
    are locked, so that decisions made since Reconcile count.
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
    end_overrides = joined_by_hash([findings.end_overrides_sql(county_id, run_id, target, columns)])
    steps = (
        ([keep_versions(model, f"JOIN {staged} AS s ON {same} WHERE s.action <> 'A'", run)], superseded),
        ([*findings.record_findings_sql(county_id, run_id, target, columns), *end_overrides], brought),
        ([f"{update}'U'"], expected.changed),
        ([f"{update}'R'"], expected.returned),
        ([retire], expected.removed),
        ([insert], expected.added),
    )
    return [statement for statements, rows in steps if rows for statement in statements]


def retire_platform_rows_sql(county_id: str, run_id: UUID, actor: str) -> list[str]:
    """SQL that retires assessments made by the platform where the county's own record of the year has arrived.

    A table that was just loaded has no statistics, and nearly all its rows are of one year: `+ 0` keeps the planner
    from using the index on years, which would compare each row with all others."""
    rows = (
        f"t.county_id = {literal(county_id)} AND t.source_system = {literal(PLATFORM_SOURCE)} AND t.retired_at IS NULL"
        f" AND EXISTS (SELECT 1 FROM assessments AS own WHERE own.county_id = {literal(county_id)}"
        " AND own.property_id = t.property_id AND own.roll_year + 0 = t.roll_year + 0 AND own.retired_at IS NULL"
        f" AND own.source_system <> {literal(PLATFORM_SOURCE)}) AND roll_takes_changes(t.county_id, t.roll_year)"
    )
    retire = (
        f"UPDATE assessments AS t SET retired_at = now(), version = t.version + 1, valid_from = {BEGINS} WHERE {rows}"
    )
    return [
        keep_versions(SYNC_TARGETS["assessments"], f"WHERE {rows}", uuid_literal(run_id)),
        audit.record_count_sql(
            county_id, actor, "sync.assessments_gave_way", SYNC.subject(run_id), "assessments", retire
        ),
    ]


def differing_keys(
    connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str], rows: "pl.DataFrame"
) -> list[str]:
    """The keys of those of `rows` whose target row has other values than the source and the overrides say.

    For rows that are unchanged in the source, whose target row was changed without a decision.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    staging.load_temporary(connection, run_id, target, "compared", rows)
    for statement in overrides.apply_sql(county_id, target, "compared", columns):
        connection.exec_driver_sql(statement)
    differs = " OR ".join(
        f"{comparable_sql('t', name)} IS DISTINCT FROM {comparable_sql('s', name)}" for name in columns
    )
    differing = connection.exec_driver_sql(
        f"SELECT s.{key} FROM compared AS s JOIN {identifier(target)} AS t ON t.county_id = {literal(county_id)}"
        f" AND t.{key} = s.{key} WHERE {differs}"
    )
    return [str(row[0]) for row in differing]


def comparable_sql(row: str, column: str) -> str:
    """SQL of a column's value for comparison; attributes that are null count as absent."""
    value = f"{row}.{identifier(column)}"
    return f"nullif(jsonb_strip_nulls({value}), '{{}}')" if column == overrides.ATTRIBUTES else value


def _state_query(county_id: str, target: str, where: str) -> str:
    key = identifier(key_column(SYNC_TARGETS[target]))
    return (
        f"SELECT t.{key} AS key, t.row_hash, t.version, t.retired_at IS NOT NULL AS retired"
        f" FROM {identifier(target)} AS t WHERE t.county_id = {literal(county_id)} AND {where}"
    )


def _two_columns(keys: "pl.Series") -> "pl.DataFrame":
    """The keys with an empty second column, since COPY reads a line of one empty field as no row."""
    import polars as pl

    return keys.alias("key").to_frame().with_columns(filler=pl.lit(""))
