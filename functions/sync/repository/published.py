"""Rows of the targets in key ranges, as Prepare counts them and Curate writes them."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, key_column

if TYPE_CHECKING:
    import polars as pl


def transaction_time(connection: Connection) -> datetime:
    """The start of the transaction by the database's clock, as versions are dated."""
    started_at: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return started_at


def cut(connection: Connection, county_id: str, target: str, rows: int) -> tuple[list[str], list[int]]:
    """Key ranges of `rows` live rows: the keys at which all but the last end, and the number of rows of each."""
    where = f"{identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL"
    return _cut(connection, where, key_column(SYNC_TARGETS[target]), rows)


def cut_staged(connection: Connection, run_id: UUID, target: str, rows: int) -> tuple[list[str], list[int]]:
    """As `cut`, of the rows that a run has staged to be added."""
    return _cut(connection, _added(run_id, target), key_column(SYNC_TARGETS[target]), rows)


def has_rows(connection: Connection, county_id: str, target: str) -> bool:
    """True where the county has live rows in the table."""
    statement = text(
        f"SELECT EXISTS (SELECT 1 FROM {identifier(target)} WHERE county_id = :county AND retired_at IS NULL)"
    )
    return bool(connection.execute(statement, {"county": county_id}).scalar_one())


def count_live_by_range(connection: Connection, county_id: str, target: str, bounds: Sequence[str]) -> list[int]:
    """The number of live rows of each range up to bounds[0], ..., after bounds[-1]."""
    return _by_range(connection, county_id, target, bounds, "retired_at IS NULL", {})


def count_changed_by_range(
    connection: Connection, county_id: str, target: str, bounds: Sequence[str], since: datetime, except_run: UUID
) -> list[int]:
    """The number of rows of each range with a version later than `since`, those made by the run `except_run` left
    out.
    """
    later = "valid_from > CAST(:since AS timestamptz) AND sync_run_id IS DISTINCT FROM CAST(:except_run AS uuid)"
    return _by_range(connection, county_id, target, bounds, later, {"since": since, "except_run": str(except_run)})


def rows_between(
    connection: Connection, county_id: str, target: str, columns: Sequence[str], lower: str | None, upper: str | None
) -> "pl.DataFrame":
    """Live rows with lower < key <= upper in the order of their keys, as text, with `version` and `valid_from`.

    `valid_from` is in microseconds since 1970, UTC.
    """
    key = key_column(SYNC_TARGETS[target])
    return staging.query_frame(
        connection,
        f"SELECT {', '.join(identifier(name) for name in columns)}, version, {_MICROSECONDS.format('valid_from')}"
        f" FROM {identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL"
        f"{_within(key, lower, upper)} ORDER BY {identifier(key)}",
    )


def staged_rows_between(
    connection: Connection,
    run_id: UUID,
    target: str,
    columns: Sequence[str],
    filled: Collection[str],
    applied_at: datetime,
    lower: str | None,
    upper: str | None,
) -> "pl.DataFrame":
    """As `rows_between`, of the rows that a run has staged to be added, with their versions as of `applied_at`.

    `filled` are the columns that staging has.
    """
    key = key_column(SYNC_TARGETS[target])
    names = [identifier(name) if name in filled else f"NULL AS {identifier(name)}" for name in columns]
    valid_from = _MICROSECONDS.format(f"CAST({literal(applied_at.isoformat())} AS timestamptz)")
    return staging.query_frame(
        connection,
        f"SELECT {', '.join(names)}, 1 AS version, {valid_from} FROM {_added(run_id, target)}"
        f"{_within(key, lower, upper)} ORDER BY {identifier(key)}",
    )


_MICROSECONDS = "CAST(date_part('epoch', {}) * 1000000 AS bigint) AS valid_from"


def _added(run_id: UUID, target: str) -> str:
    return f"{staging.table_name(run_id, target)} WHERE action = 'A'"


def _within(key: str, lower: str | None, upper: str | None) -> str:
    within = f" AND {identifier(key)} > {literal(lower)}" if lower is not None else ""
    return within + (f" AND {identifier(key)} <= {literal(upper)}" if upper is not None else "")


def _cut(connection: Connection, where: str, key: str, rows: int) -> tuple[list[str], list[int]]:
    """Two queries, since a window function that counts all rows would hold them all until the last is read."""
    name = identifier(key)
    numbered_keys = connection.exec_driver_sql(
        f"SELECT n, key FROM (SELECT {name} AS key, row_number() OVER (ORDER BY {name}) AS n FROM {where}) AS numbered"
        f" WHERE n % {int(rows)} = 0 UNION ALL SELECT count(*), NULL FROM {where} ORDER BY n"
    ).all()
    total = next(int(n) for n, key in numbered_keys if key is None)
    ends = [str(key) for n, key in numbered_keys if key is not None and n < total]
    return ends, [*(rows for _ in ends), total - rows * len(ends)]


def _by_range(
    connection: Connection,
    county_id: str,
    target: str,
    bounds: Sequence[str],
    condition: str,
    parameters: dict[str, object],
) -> list[int]:
    key = identifier(key_column(SYNC_TARGETS[target]))
    # width_bucket counts a bound into the range that begins with it, and ours end with it
    bucket = "0" if not bounds else f"width_bucket({key}, b.bounds) - CAST({key} = ANY (b.bounds) AS integer)"
    rows = connection.execute(
        text(
            f"SELECT {bucket} AS range_no, count(*) FROM {identifier(target)},"
            " (SELECT CAST(:bounds AS text[]) AS bounds) AS b"
            f" WHERE county_id = :county_id AND {condition} GROUP BY range_no"
        ),
        {"county_id": county_id, "bounds": list(bounds), **parameters},
    )
    counts = [0] * (len(bounds) + 1)
    for number, count in rows:
        counts[int(number)] = int(count)
    return counts
