"""The roll of a year as its checks see it: a temporary table of one row an assessment.

It is made once for all checks of a run: each of them then scans a hundred thousand narrow rows, not joins of them.
"""

from sqlalchemy import Connection, text

from shared.db.hash_joins import joining_by_hash

_MAKE = """
CREATE TEMP TABLE checked_roll ON COMMIT DROP AS
SELECT a.assessment_id, a.property_id, p.property_id IS NOT NULL AS has_parcel, p.parcel_number,
    coalesce(a.property_class, p.property_class) AS property_class, p.property_class AS parcel_class, p.property_type,
    p.neighborhood, p.tax_district, p.situs_address, p.legal_description,
    a.land_value, a.improvement_value, a.total_value, a.assessed_value, b.total_value AS prior_total_value,
    p.land_area_sqft, p.living_area_sqft, p.year_built, p.last_sale_date, p.last_sale_price,
    p.geometry IS NOT NULL AS has_shape, coalesce(i.buildings, 0) AS buildings, coalesce(o.owners, 0) AS owners
FROM assessments AS a
LEFT JOIN properties_operational AS p
    ON p.county_id = a.county_id AND p.property_id = a.property_id AND p.retired_at IS NULL
LEFT JOIN (
    SELECT property_id, max(total_value) AS total_value FROM assessments
    WHERE county_id = :county_id AND roll_year = :roll_year - 1 AND retired_at IS NULL GROUP BY property_id
) AS b ON b.property_id = a.property_id
LEFT JOIN (
    SELECT property_id, count(*) AS buildings FROM improvements
    WHERE county_id = :county_id AND retired_at IS NULL GROUP BY property_id
) AS i ON i.property_id = a.property_id
LEFT JOIN (
    SELECT property_id, count(*) AS owners FROM owners
    WHERE county_id = :county_id AND retired_at IS NULL AND name IS NOT NULL GROUP BY property_id
) AS o ON o.property_id = a.property_id
WHERE a.county_id = :county_id AND a.roll_year = :roll_year AND a.retired_at IS NULL
"""


def make(connection: Connection, county_id: str, roll_year: int) -> None:
    """Make the table `checked_roll`, which ends with the transaction."""
    with joining_by_hash(connection):  # after a first sync the tables have no statistics yet
        connection.execute(text(_MAKE), {"county_id": county_id, "roll_year": roll_year})
    connection.exec_driver_sql("ANALYZE checked_roll")
