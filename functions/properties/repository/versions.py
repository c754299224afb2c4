"""Versions of synced rows: as they were at a moment, and all of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, literal_column, null, select
from sqlalchemy.types import DateTime, Uuid

from shared.db.models import VERSION_ENDS, SyncedModel, history_table

VersionRow = Row[*tuple[Any, ...]]


def at(
    connection: Connection,
    model: SyncedModel,
    names: Sequence[str],
    county_id: str,
    as_of: datetime,
    **keys: str,
) -> list[VersionRow]:
    """The columns `names` of the versions that held at a moment; `keys` are values of columns."""
    history = history_table(model)
    table = model.__table__
    current = select(*(table.c[name] for name in names)).where(
        table.c.county_id == county_id,
        table.c.valid_from <= as_of,
        *(table.c[name] == value for name, value in keys.items()),
    )
    earlier = select(*(history.c[name] for name in names)).where(
        history.c.county_id == county_id,
        history.c.valid_from <= as_of,
        history.c.valid_to > as_of,
        *(history.c[name] == value for name, value in keys.items()),
    )
    return list(connection.execute(current.union_all(earlier)))


def every(connection: Connection, model: SyncedModel, key: str, county_id: str, **keys: str) -> list[VersionRow]:
    """Every version of the rows with these values, by key and newest first; the current ones have no end."""
    history = history_table(model)
    table = model.__table__
    names = [c.name for c in history.columns if c.name not in VERSION_ENDS]
    current: Select[Any] = select(
        *(table.c[name] for name in names),
        null().cast(DateTime(timezone=True)).label("valid_to"),
        null().cast(Uuid).label("superseded_by_run"),
    ).where(table.c.county_id == county_id, *(table.c[name] == value for name, value in keys.items()))
    earlier = select(*(history.c[name] for name in names), history.c.valid_to, history.c.superseded_by_run).where(
        history.c.county_id == county_id, *(history.c[name] == value for name, value in keys.items())
    )
    return list(
        connection.execute(current.union_all(earlier).order_by(literal_column(key), literal_column("version").desc()))
    )
