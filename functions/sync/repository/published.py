"""What Publish reads: the targets as they were applied, by key."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pg8000.native import identifier, literal
from sqlalchemy import Connection

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, key_column

if TYPE_CHECKING:
    import polars as pl


def rows_after(
    connection: Connection, county_id: str, target: str, columns: Sequence[str], last: str | None, limit: int
) -> "pl.DataFrame":
    """The next rows that are not retired, as texts, with `version` and `valid_from` (UTC)."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    after = f" AND {key} > {literal(last)}" if last is not None else ""
    return staging.copied(
        connection,
        f"SELECT {', '.join(identifier(name) for name in columns)}, version,"
        " to_char(valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS valid_from"
        f" FROM {identifier(target)} WHERE county_id = {literal(county_id)} AND retired_at IS NULL{after}"
        f" ORDER BY {key} LIMIT {int(limit)}",
    )
