"""Totals of a county's roll at a point in time: parcels and values by property class."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import Connection, text

from shared.schemas import Schema

Bound = Literal["at", "just before"]


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
    connection: Connection, county_id: str, moment: datetime, side: Bound = "at"
) -> dict[str | None, RollTotals]:
    """The totals at a point in time, or just before what was written at exactly that time."""
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


def compare_by_class(before: TotalsByClass, after: TotalsByClass) -> list[ClassTotals]:
    """Both totals by class, in the order of the classes' names, parcels without a class first."""
    classes = sorted(before.keys() | after.keys(), key=lambda name: (name is not None, name or ""))
    none = RollTotals()
    return [
        ClassTotals(property_class=name, before=before.get(name, none), after=after.get(name, none)) for name in classes
    ]


def sum_of_classes(totals: TotalsByClass) -> RollTotals:
    """The sum over all classes."""
    return RollTotals(
        parcels=sum(each.parcels for each in totals.values()),
        land_value=sum((each.land_value for each in totals.values()), Decimal(0)),
        improvement_value=sum((each.improvement_value for each in totals.values()), Decimal(0)),
        total_value=sum((each.total_value for each in totals.values()), Decimal(0)),
    )
