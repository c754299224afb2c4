"""SQL of reports."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, text

from functions.reporting.schemas import Grouping
from shared.db.models import County

_GROUP: dict[Grouping, str] = {
    # the class of that year's roll; what the roll does not say is taken from the parcel as it is now
    "property_class": "coalesce(a.own_class, p.property_class)",
    "neighborhood": "p.neighborhood",
}


class RollRow(NamedTuple):
    """Values of one group of a roll; `grouping` None is the whole county, `group` None parcels without a group."""

    roll_year: int
    grouping: Grouping | None
    group: str | None
    parcels: int
    parcels_without_value: int
    land_value: Decimal
    improvement_value: Decimal
    total_value: Decimal
    assessed_value: Decimal
    mean_value: Decimal | None
    median_value: Decimal | None
    min_value: Decimal | None
    max_value: Decimal | None


class Overlap(NamedTuple):
    """Which parcels two rolls have in common, and what those and the others are worth on each."""

    in_both: int
    only_now: int
    only_before: int
    total_in_both_now: Decimal
    total_in_both_before: Decimal
    total_only_now: Decimal
    total_only_before: Decimal


def overlap(connection: Connection, county_id: str, year: int, previous: int) -> Overlap:
    """The parcels of two roll years beside each other."""
    row = connection.execute(
        text(
            "SELECT count(*) FILTER (WHERE now AND before), count(*) FILTER (WHERE NOT before),"
            " count(*) FILTER (WHERE NOT now),"
            " coalesce(sum(total_now) FILTER (WHERE now AND before), 0),"
            " coalesce(sum(total_before) FILTER (WHERE now AND before), 0),"
            " coalesce(sum(total_now) FILTER (WHERE NOT before), 0),"
            " coalesce(sum(total_before) FILTER (WHERE NOT now), 0)"
            " FROM (SELECT bool_or(roll_year = :year) AS now, bool_or(roll_year = :previous) AS before,"
            " sum(total_value) FILTER (WHERE roll_year = :year) AS total_now,"
            " sum(total_value) FILTER (WHERE roll_year = :previous) AS total_before FROM assessments"
            " WHERE county_id = :county_id AND roll_year IN (:year, :previous) AND retired_at IS NULL"
            " GROUP BY property_id) parcels"
        ),
        {"county_id": county_id, "year": year, "previous": previous},
    ).one()
    return Overlap(*row)


def county_name(connection: Connection, county_id: str) -> str | None:
    """What the county is called."""
    return connection.scalar(select(County.friendly_name).where(County.county_id == county_id))


def roll_years(connection: Connection, county_id: str) -> list[int]:
    """The roll years that there are assessments of, newest first."""
    return list(
        connection.scalars(
            text(
                "SELECT DISTINCT roll_year FROM assessments WHERE county_id = :county_id AND retired_at IS NULL"
                " ORDER BY roll_year DESC"
            ),
            {"county_id": county_id},
        )
    )


def roll(connection: Connection, county_id: str, years: Sequence[int], groupings: Sequence[Grouping]) -> list[RollRow]:
    """Each year's totals: of the county, and of every group of each grouping."""
    sets = ", ".join(f"(roll_year, {name})" for name in groupings)
    expressions = ", ".join(f"{_GROUP[name]} AS {name}" for name in groupings)
    names = ", ".join(groupings)
    rows = connection.execute(
        text(
            f"SELECT roll_year, {names}, grouping({names}) AS absent,"  # noqa: S608 - names of ours
            " count(DISTINCT property_id) AS parcels,"
            " count(DISTINCT property_id) FILTER (WHERE total_value IS NULL) AS parcels_without_value,"
            " coalesce(sum(land_value), 0) AS land_value, coalesce(sum(improvement_value), 0) AS improvement_value,"
            " coalesce(sum(total_value), 0) AS total_value, coalesce(sum(assessed_value), 0) AS assessed_value,"
            " round(avg(total_value), 2) AS mean_value,"
            " round((percentile_cont(0.5) WITHIN GROUP (ORDER BY total_value))::numeric, 2) AS median_value,"
            " min(total_value) AS min_value, max(total_value) AS max_value"
            f" FROM (SELECT a.*, {expressions} FROM ("
            "SELECT roll_year, property_id, land_value, improvement_value, total_value, assessed_value,"
            " property_class AS own_class FROM assessments"
            " WHERE county_id = :county_id AND roll_year = ANY (:years) AND retired_at IS NULL) a"
            " LEFT JOIN properties_operational p ON p.county_id = :county_id AND p.property_id = a.property_id) r"
            f" GROUP BY GROUPING SETS ((roll_year), {sets})"
        ),
        {"county_id": county_id, "years": list(years)},
    )
    return [_roll_row(row, groupings) for row in rows]


def _roll_row(row: Row[*tuple[Any, ...]], groupings: Sequence[Grouping]) -> RollRow:
    """`absent` has a bit for each grouping that a row does not belong to, the last grouping's the lowest."""
    values = dict(row._mapping)
    absent = values.pop("absent")
    keys = {name: values.pop(name) for name in groupings}
    present = [name for place, name in enumerate(reversed(groupings)) if not absent >> place & 1]
    grouping = present[0] if present else None
    return RollRow(grouping=grouping, group=keys[grouping] if grouping else None, **values)
