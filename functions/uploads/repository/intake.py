"""Uploads as they are made, and the keys that the county knows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from pg8000.native import identifier
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import SYNC_TARGETS, County, Upload, key_column

_FOUND = (
    "SELECT count(DISTINCT trim(t.{column})) FROM {table} AS t WHERE t.county_id = :county_id AND t.retired_at IS NULL"
    " AND t.{column} IN (SELECT v FROM jsonb_array_elements_text(CAST(:values AS jsonb)) AS v)"
)


def add(connection: Connection, county_id: str, upload_id: UUID, **values: Any) -> bool:
    """Insert an upload; False where it exists."""
    statement = insert(Upload).values(county_id=county_id, upload_id=upload_id, details={}, **values)
    return connection.execute(statement.on_conflict_do_nothing()).rowcount == 1


def configuration(connection: Connection, county_id: str) -> dict[str, Any] | None:
    """The county's configuration; None for one that is not onboarded."""
    found: dict[str, Any] | None = connection.scalar(select(County.configuration).where(County.county_id == county_id))
    return found


def count_known(connection: Connection, county_id: str, table: str, column: str, values: Sequence[str]) -> int:
    """The number of these values that live rows of a table have in a column."""
    statement = text(_FOUND.format(table=identifier(table), column=identifier(column)))
    found = connection.execute(statement, {"county_id": county_id, "values": orjson.dumps(list(values)).decode()})
    return int(found.scalar_one())


def key_of(table: str) -> str:
    """The key column of a target table."""
    return key_column(SYNC_TARGETS[table])
