"""The roll as it was at two moments, beside each other. Only parcels with a version in between can differ."""
# ruff: noqa: S608 - names are quoted identifiers of models; values are parameters

from datetime import datetime
from typing import Any, NamedTuple

from pg8000.native import identifier
from sqlalchemy import Connection, text

from functions.properties.schemas.parcels import RollChange, RollFilter
from shared.db.models import PROVENANCE, VERSION_ENDS, PropertyOperational, history_table

_COLUMNS = [c.name for c in history_table(PropertyOperational).columns if c.name not in PROVENANCE]
COMPARED = tuple(name for name in _COLUMNS if name not in VERSION_ENDS | {"property_id", "geometry"})
"""The fields in which parcels are compared."""

_NAMES = ", ".join(identifier(name) for name in ("property_id", *COMPARED, "version", "retired_at"))
_SAME = " AND ".join(f"o.{identifier(name)} IS NOT DISTINCT FROM n.{identifier(name)}" for name in COMPARED)
_CHANGE = f"""CASE
    WHEN n.retired_at IS NOT NULL THEN CASE WHEN o.property_id IS NOT NULL AND o.retired_at IS NULL THEN 'removed' END
    WHEN o.property_id IS NULL THEN 'added'
    WHEN o.retired_at IS NOT NULL THEN 'returned'
    WHEN NOT ({_SAME}) THEN 'changed' END"""


class Moments(NamedTuple):
    """From when to when; the later one second."""

    before: datetime
    after: datetime


class ChangedParcel(NamedTuple):
    """A parcel that differs: as it was and as it became, as JSON objects (empty where there is none)."""

    property_id: str
    change: RollChange
    before: dict[str, Any]
    after: dict[str, Any]


def _differing(last: bool) -> str:
    """Parcels whose version at `after` is younger than `before`, with their version at `before`."""
    page = " AND property_id > :last" if last else ""
    own = f"county_id = :county_id AND valid_from > :before AND valid_from <= :after{page}"
    return (
        f"WITH n AS (SELECT {_NAMES} FROM properties_operational WHERE {own}"
        f" UNION ALL SELECT {_NAMES} FROM properties_operational_history WHERE {own} AND valid_to > :after),"
        f" pair AS (SELECT n.property_id, {_CHANGE} AS change, to_jsonb(o) AS old, to_jsonb(n) AS new,"
        " o.property_class AS old_class, n.property_class AS new_class FROM n"
        f" LEFT JOIN LATERAL (SELECT {_NAMES} FROM properties_operational_history AS h WHERE h.county_id = :county_id"
        " AND h.property_id = n.property_id AND h.valid_from <= :before AND h.valid_to > :before) AS o ON true)"
    )


def page(
    connection: Connection, county_id: str, moments: Moments, roll_filter: RollFilter, *, last: str | None, limit: int
) -> list[ChangedParcel]:
    """Parcels that differ, by id, those after `last`."""
    conditions = "change IS NOT NULL"
    conditions += " AND change = :change" if roll_filter.change else ""
    conditions += " AND :property_class IN (old_class, new_class)" if roll_filter.property_class is not None else ""
    rows = connection.execute(
        text(
            f"{_differing(last is not None)} SELECT property_id, change, old, new FROM pair WHERE {conditions}"
            " ORDER BY property_id LIMIT :limit"
        ),
        {
            "county_id": county_id,
            **moments._asdict(),
            "limit": limit,
            **({"last": last} if last is not None else {}),
            **({"change": roll_filter.change} if roll_filter.change else {}),
            **({"property_class": roll_filter.property_class} if roll_filter.property_class is not None else {}),
        },
    )
    return [ChangedParcel(row[0], row[1], row[2] or {}, row[3]) for row in rows]


def counts(connection: Connection, county_id: str, moments: Moments) -> dict[str, int]:
    """Counts of parcels that differ, by change."""
    rows = connection.execute(
        text(f"{_differing(last=False)} SELECT change, count(*) FROM pair WHERE change IS NOT NULL GROUP BY change"),
        {"county_id": county_id, **moments._asdict()},
    )
    return {change: int(count) for change, count in rows}
