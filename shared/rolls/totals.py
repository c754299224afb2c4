"""What a county's roll comes to on a day: parcels and values by property class."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import Connection, text

from shared.schemas import Schema

Moment = Literal["at", "just before"]


class RollTotals(Schema):
    """Parcels that are not retired, and the sums of their values in dollars."""

    parcels: int = 0
    land_value: Decimal = Decimal(0)
    improvement_value: Decimal = Decimal(0)
    total_value: Decimal = Decimal(0)


class ClassTotals(Schema):
    """One property class before and after; None is the class of parcels without one."""

    property_class: str | None
    before: RollTotals
    after: RollTotals


TotalsByClass = Mapping[str | None, RollTotals]

SUMMED = (
    "count(*) AS parcels, coalesce(sum(land_value), 0) AS land_value,"
    " coalesce(sum(improvement_value), 0) AS improvement_value, coalesce(sum(total_value), 0) AS total_value"
)
"""The sums as SQL over rows with the columns of `properties_operational`."""


def totals_of(
    connection: Connection, county_id: str, moment: datetime, side: Moment = "at"
) -> dict[str | None, RollTotals]:
    """The roll as it was at a moment, or just before what was written at that very moment."""
    begun, ended = ("<=", ">") if side == "at" else ("<", ">=")
    columns = "property_class, land_value, improvement_value, total_value"
    valid = f"county_id = :county_id AND valid_from {begun} :moment AND retired_at IS NULL"
    return read_totals(
        connection,
        f"SELECT property_class, {SUMMED} FROM ("  # noqa: S608 - nothing in it comes from outside
        f" SELECT {columns} FROM properties_operational WHERE {valid}"
        f" UNION ALL SELECT {columns} FROM properties_operational_history WHERE {valid} AND valid_to {ended} :moment"
        ") AS roll GROUP BY property_class",
        county_id=county_id,
        moment=moment,
    )


def read_totals(connection: Connection, statement: str, **parameters: object) -> dict[str | None, RollTotals]:
    """The rows of a query that groups by property_class and sums by `SUMMED`."""
    rows = connection.execute(text(statement), parameters)
    return {
        row.property_class: RollTotals(
            parcels=row.parcels,
            land_value=row.land_value,
            improvement_value=row.improvement_value,
            total_value=row.total_value,
        )
        for row in rows
    }


def side_by_side(before: TotalsByClass, after: TotalsByClass) -> list[ClassTotals]:
    """Both rolls by class, in the order of the classes' names, that without a name first."""
    classes = sorted(before.keys() | after.keys(), key=lambda name: (name is not None, name or ""))
    none = RollTotals()
    return [
        ClassTotals(property_class=name, before=before.get(name, none), after=after.get(name, none)) for name in classes
    ]


def overall(totals: TotalsByClass) -> RollTotals:
    """All classes together."""
    return RollTotals(
        parcels=sum(one.parcels for one in totals.values()),
        land_value=sum((one.land_value for one in totals.values()), Decimal(0)),
        improvement_value=sum((one.improvement_value for one in totals.values()), Decimal(0)),
        total_value=sum((one.total_value for one in totals.values()), Decimal(0)),
    )
