"""What Publish reads: the targets as they were applied, in ranges of their keys."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
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
    key = identifier(key_column(SYNC_TARGETS[target]))
    found = connection.execute(
        text(
            f"SELECT {key}, n, total FROM (SELECT {key}, row_number() OVER (ORDER BY {key}) AS n,"
            f" count(*) OVER () AS total FROM {identifier(target)}"
            " WHERE county_id = :county_id AND retired_at IS NULL) AS numbered"
            " WHERE mod(n, :rows) = 0 OR n = total ORDER BY n"
        ),
        {"county_id": county_id, "rows": rows},
    ).all()
    if not found:
        return [], [0]
    total = int(found[-1].total)
    ends = [str(row[0]) for row in found if row.n < total]
    return ends, [*(rows for _ in ends), total - rows * len(ends)]


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
    key = identifier(key_column(SYNC_TARGETS[target]))
    within = f" AND {key} > {literal(lower)}" if lower is not None else ""
    within += f" AND {key} <= {literal(upper)}" if upper is not None else ""
    return staging.copied(
        connection,
        f"SELECT {', '.join(identifier(name) for name in columns)}, version,"
        " CAST(date_part('epoch', valid_from) * 1000000 AS bigint) AS valid_from"
        f" FROM {identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL{within}"
        f" ORDER BY {key}",
    )


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
