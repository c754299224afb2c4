"""SQL of rolls: their years, and their values by group."""

from collections.abc import Sequence
from typing import Any

from pg8000.native import literal
from sqlalchemy import Connection, Row, text

from functions.reporting.domain.contents import Column
from functions.reporting.domain.roll_records import RollOverlap, RollRow
from functions.reporting.repository.typed_rows import TypedRows
from functions.reporting.schemas import Grouping

_GROUP: dict[Grouping, str] = {
    # the class of that year's roll; where the roll has none, the parcel's present class
    "property_class": "coalesce(a.own_class, p.property_class)",
    "neighborhood": "p.neighborhood",
}


def roll_overlap(connection: Connection, county_id: str, year: int, previous: int) -> RollOverlap:
    """The parcels that two roll years share, and those on one alone."""
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
    return RollOverlap(*row)


def roll_years(connection: Connection, county_id: str) -> list[int]:
    """The roll years with assessments, newest first."""
    return list(
        connection.scalars(
            text(
                "SELECT DISTINCT roll_year FROM assessments WHERE county_id = :county_id AND retired_at IS NULL"
                " ORDER BY roll_year DESC"
            ),
            {"county_id": county_id},
        )
    )


def roll_rows(
    connection: Connection, county_id: str, years: Sequence[int], groupings: Sequence[Grouping]
) -> list[RollRow]:
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
    present = [name for bit, name in enumerate(reversed(groupings)) if not absent >> bit & 1]
    grouping = present[0] if present else None
    return RollRow(grouping=grouping, group=keys[grouping] if grouping else None, **values)


def assessments(county_id: str, year: int, columns: Sequence[Column]) -> TypedRows:
    """Every assessment of a roll year, by property."""
    return TypedRows(
        county_id,
        "SELECT a.property_id, p.parcel_number, p.situs_address, coalesce(a.property_class, p.property_class),"  # noqa: S608 - literals
        " p.neighborhood, p.tax_district, a.land_value, a.improvement_value, a.total_value, a.assessed_value"
        " FROM assessments a LEFT JOIN properties_operational p"
        " ON p.county_id = a.county_id AND p.property_id = a.property_id"
        f" WHERE a.county_id = {literal(county_id)} AND a.roll_year = {literal(year)} AND a.retired_at IS NULL"
        " ORDER BY a.property_id, a.assessment_id",
        columns,
    )
