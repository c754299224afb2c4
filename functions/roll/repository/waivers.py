"""SQL of waivers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from functions.roll.schemas.checks import Waiver
from shared.db.models import RollWaiver

_COLUMNS = [getattr(RollWaiver, name) for name in Waiver.model_fields]


def of_roll(connection: Connection, county_id: str, roll_year: int, *, standing: bool = False) -> list[Waiver]:
    """The waivers of a roll in the order in which they were made."""
    statement = select(*_COLUMNS).where(RollWaiver.county_id == county_id, RollWaiver.roll_year == roll_year)
    if standing:
        statement = statement.where(RollWaiver.withdrawn_at.is_(None))
    rows = connection.execute(statement.order_by(RollWaiver.waived_at, RollWaiver.waiver_id))
    return [Waiver(**row._mapping) for row in rows]


def find(connection: Connection, county_id: str, roll_year: int, waiver_id: UUID) -> tuple[Waiver, str] | None:
    """A waiver, and the digest of the request that made it."""
    row = connection.execute(
        select(*_COLUMNS, RollWaiver.request_digest).where(
            RollWaiver.county_id == county_id, RollWaiver.roll_year == roll_year, RollWaiver.waiver_id == waiver_id
        )
    ).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    return Waiver(**{name: values[name] for name in Waiver.model_fields}), str(row.request_digest)


def add(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Add a waiver; False where it is there, or another one stands for the same."""
    added = connection.execute(insert(RollWaiver).values(**values).on_conflict_do_nothing())
    return bool(added.rowcount)


def withdraw(connection: Connection, county_id: str, waiver_id: UUID, by: str) -> bool:
    """End a standing waiver; False where none stands."""
    ended = connection.execute(
        update(RollWaiver)
        .where(RollWaiver.county_id == county_id, RollWaiver.waiver_id == waiver_id, RollWaiver.withdrawn_at.is_(None))
        .values(withdrawn_by=by, withdrawn_at=func.now())
    )
    return bool(ended.rowcount)
