"""What Publish reads: the targets as they were applied, in ranges of their keys."""
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


def now(connection: Connection) -> datetime:
    """The database's time, by which versions are dated."""
    moment: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return moment


def cut(connection: Connection, county_id: str, target: str, rows: int) -> tuple[list[str], list[int]]:
    """Ranges of `rows` rows that are not retired: the keys at which they end, but for the last, and their rows."""
    where = f"{identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL"
    return _cut(connection, where, key_column(SYNC_TARGETS[target]), rows)


def cut_staged(connection: Connection, run_id: UUID, target: str, rows: int) -> tuple[list[str], list[int]]:
    """The same of the rows that a run has staged to be added."""
    return _cut(connection, _added(run_id, target), key_column(SYNC_TARGETS[target]), rows)


def has_rows(connection: Connection, county_id: str, target: str) -> bool:
    """Whether there are rows that are not retired."""
    found = text(f"SELECT EXISTS (SELECT 1 FROM {identifier(target)} WHERE county_id = :county AND retired_at IS NULL)")
    return bool(connection.execute(found, {"county": county_id}).scalar_one())


def live_rows(connection: Connection, county_id: str, target: str, bounds: Sequence[str]) -> list[int]:
    """How many rows that are not retired each range has: up to bounds[0], ..., after bounds[-1]."""
    return _by_range(connection, county_id, target, bounds, "retired_at IS NULL", {})


def changed_rows(
    connection: Connection, county_id: str, target: str, bounds: Sequence[str], since: datetime, but: UUID
) -> list[int]:
    """How many rows of each range have a version of later than `since` that the run `but` did not make."""
    later = "valid_from > CAST(:since AS timestamptz) AND sync_run_id IS DISTINCT FROM CAST(:but AS uuid)"
    return _by_range(connection, county_id, target, bounds, later, {"since": since, "but": str(but)})


def rows_between(
    connection: Connection, county_id: str, target: str, columns: Sequence[str], lower: str | None, upper: str | None
) -> "pl.DataFrame":
    """Rows with lower < key <= upper that are not retired, by key, as texts, with `version` and `valid_from`.

    `valid_from` is in microseconds since 1970, UTC.
    """
    key = key_column(SYNC_TARGETS[target])
    return staging.copied(
        connection,
        f"SELECT {', '.join(identifier(name) for name in columns)}, version, {_MICROSECONDS.format('valid_from')}"
        f" FROM {identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL"
        f"{_within(key, lower, upper)} ORDER BY {identifier(key)}",
    )


def staged_between(
    connection: Connection,
    run_id: UUID,
    target: str,
    columns: Sequence[str],
    filled: Collection[str],
    moment: datetime,
    lower: str | None,
    upper: str | None,
) -> "pl.DataFrame":
    """The same of the rows that a run has staged to be added, as they are once that is done at `moment`.

    `filled` are the columns that staging has.
    """
    key = key_column(SYNC_TARGETS[target])
    names = [identifier(name) if name in filled else f"NULL AS {identifier(name)}" for name in columns]
    begins = _MICROSECONDS.format(f"CAST({literal(moment.isoformat())} AS timestamptz)")
    return staging.copied(
        connection,
        f"SELECT {', '.join(names)}, 1 AS version, {begins} FROM {_added(run_id, target)}"
        f"{_within(key, lower, upper)} ORDER BY {identifier(key)}",
    )


_MICROSECONDS = "CAST(date_part('epoch', {}) * 1000000 AS bigint) AS valid_from"


def _added(run_id: UUID, target: str) -> str:
    return f"{staging.table_name(run_id, target)} WHERE action = 'A'"


def _within(key: str, lower: str | None, upper: str | None) -> str:
    within = f" AND {identifier(key)} > {literal(lower)}" if lower is not None else ""
    return within + (f" AND {identifier(key)} <= {literal(upper)}" if upper is not None else "")


def _cut(connection: Connection, where: str, key: str, rows: int) -> tuple[list[str], list[int]]:
    """Counted for itself: a window that counts all rows would keep them all until the last is read."""
    name = identifier(key)
    found = connection.exec_driver_sql(
        f"SELECT n, key FROM (SELECT {name} AS key, row_number() OVER (ORDER BY {name}) AS n FROM {where}) AS numbered"
        f" WHERE n % {int(rows)} = 0 UNION ALL SELECT count(*), NULL FROM {where} ORDER BY n"
    ).all()
    total = next(int(n) for n, key in found if key is None)
    ends = [str(key) for n, key in found if key is not None and n < total]
    return ends, [*(rows for _ in ends), total - rows * len(ends)]


def _by_range(
    connection: Connection, county_id: str, target: str, bounds: Sequence[str], condition: str, more: dict[str, object]
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
        {"county_id": county_id, "bounds": list(bounds), **more},
    )
    counts = [0] * (len(bounds) + 1)
    for number, count in rows:
        counts[int(number)] = int(count)
    return counts
