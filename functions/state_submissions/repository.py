"""SQL of submissions to states."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from functions.state_submissions.domain.records import ParcelRecord, SaleRecord

_VALUES = (
    "SELECT property_id, sum(coalesce(assessed_value, total_value)) FILTER (WHERE roll_year = :assessment_year) AS own,"
    " sum(coalesce(assessed_value, total_value)) FILTER (WHERE roll_year = :assessment_year - 1) AS previous"
    " FROM assessments WHERE county_id = :county_id AND retired_at IS NULL"
    " AND roll_year IN (:assessment_year, :assessment_year - 1) GROUP BY property_id"
)


def county(connection: Connection, county_id: str) -> tuple[str, int, dict[str, Any] | None]:
    """A county's name, the version of its configuration, and its settings of submissions."""
    row = connection.execute(
        text(
            "SELECT friendly_name, version, configuration #> '{plugin_settings,state_submission}' AS settings"
            " FROM counties WHERE county_id = :county_id"
        ),
        {"county_id": county_id},
    ).one()
    return row.friendly_name, row.version, row.settings


def sales(
    connection: Connection, county_id: str, assessment_year: int, first: date, last: date
) -> Iterator[SaleRecord]:
    """The current sales of a period, both days included, by date and id."""
    rows = connection.execute(
        text(
            f"WITH valued AS ({_VALUES}) SELECT s.sale_id, s.property_id, p.parcel_number, s.sale_date, s.sale_price,"  # noqa: S608 - ours
            " s.instrument_number, s.deed_type, coalesce(nullif(d.decision, 'as_coded'), s.validity_code) AS validity,"
            " coalesce(s.attributes, '{}') AS sale_attributes, p.property_class,"
            " coalesce(p.attributes, '{}') AS property_attributes, v.own AS assessed_value,"
            " v.previous AS previous_assessed_value FROM sales AS s LEFT JOIN properties_operational AS p"
            "  ON p.county_id = s.county_id AND p.property_id = s.property_id AND p.retired_at IS NULL"
            " LEFT JOIN sale_decisions AS d"
            "  ON d.county_id = s.county_id AND d.sale_id = s.sale_id AND d.superseded_at IS NULL"
            " LEFT JOIN valued AS v ON v.property_id = s.property_id WHERE s.county_id = :county_id"
            " AND s.retired_at IS NULL AND s.sale_date BETWEEN :first AND :last ORDER BY s.sale_date, s.sale_id"
        ),
        {"county_id": county_id, "assessment_year": assessment_year, "first": first, "last": last},
    )
    return (SaleRecord(**row._mapping) for row in rows)


def parcels(connection: Connection, county_id: str, assessment_year: int) -> Iterator[ParcelRecord]:
    """The parcels of the roll of a year: those with a value above zero."""
    rows = connection.execute(
        text(
            f"SELECT p.property_class, coalesce(p.attributes, '{{}}') AS attributes, v.own AS assessed_value,"  # noqa: S608 - ours
            f" v.previous AS previous_assessed_value FROM ({_VALUES}) AS v JOIN properties_operational AS p"
            "  ON p.county_id = :county_id AND p.property_id = v.property_id AND p.retired_at IS NULL WHERE v.own > 0"
        ),
        {"county_id": county_id, "assessment_year": assessment_year},
    )
    return (ParcelRecord(**row._mapping) for row in rows)
