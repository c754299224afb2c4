"""The checks over a roll, each declared once: name, title, severity, the role that looks at its rows, and its SQL.

The SQL selects (row_key, property_id, detail) of each row that is not as it should be, from `checked_roll` (r) or from
the county's tables, with the parameters of `parameters_of`.
"""
# ruff: noqa: S608 - all of it is written here

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.access import Role
from shared.counties.roll_settings import CheckSeverity, RollSettings

MIN_MEDIAN, MAX_MEDIAN = 0.90, 1.10
"""The range of the overall level of appraisal (IAAO, Standard on Ratio Studies)."""


@dataclass(frozen=True)
class Check:
    """A check over a roll."""

    name: str
    title: str
    severity: CheckSeverity
    owner: Role
    rows: str


def _of_roll(condition: str, detail: str) -> str:
    """SQL of the roll's rows of which a condition holds."""
    return f"SELECT r.assessment_id, r.property_id, {detail} FROM checked_roll AS r WHERE {condition}"


_VALUES = "concat('land ', r.land_value, ', improvements ', r.improvement_value, ', total ', r.total_value)"
_BUILT = "concat('class ', r.property_class, ', ', r.buildings, ' building(s), improvements ', r.improvement_value)"
_HAS_BUILDING = "(r.buildings > 0 OR r.improvement_value > 0)"

CHECKS: tuple[Check, ...] = (
    Check(
        "no_value",
        "Parcels without a value",
        "blocks",
        Role.VALUATION_STAFF,
        _of_roll("coalesce(r.total_value, 0) = 0", _VALUES),
    ),
    Check(
        "no_land_value",
        "Parcels without a land value",
        "blocks",
        Role.VALUATION_STAFF,
        _of_roll("coalesce(r.land_value, 0) = 0", _VALUES),
    ),
    Check(
        "negative_value",
        "Negative values",
        "blocks",
        Role.VALUATION_STAFF,
        _of_roll("least(r.land_value, r.improvement_value, r.total_value, r.assessed_value) < 0", _VALUES),
    ),
    Check(
        "parcel_without_assessment",
        "Parcels that the roll lacks",
        "blocks",
        Role.VALUATION_STAFF,
        "SELECT p.property_id, p.property_id, concat('parcel ', p.parcel_number) FROM properties_operational AS p"
        " WHERE p.county_id = :county_id AND p.retired_at IS NULL"
        " AND NOT EXISTS (SELECT FROM checked_roll AS r WHERE r.property_id = p.property_id)",
    ),
    Check(
        "assessment_without_parcel",
        "Assessments of parcels that the county does not have",
        "blocks",
        Role.ASSESSOR,
        _of_roll("NOT r.has_parcel", _VALUES),
    ),
    Check(
        "duplicate_parcel_number",
        "Parcel numbers of several parcels",
        "blocks",
        Role.ASSESSOR,
        "SELECT r.assessment_id, r.property_id, concat('parcel number ', r.parcel_number) FROM checked_roll AS r"
        " JOIN (SELECT parcel_number FROM checked_roll WHERE parcel_number IS NOT NULL GROUP BY parcel_number"
        "  HAVING count(*) > 1) AS d ON d.parcel_number = r.parcel_number",
    ),
    Check(
        "vacant_with_building",
        "Vacant classes with a building",
        "warns",
        Role.VALUATION_STAFF,
        _of_roll(f"r.property_class = ANY(CAST(:vacant_classes AS text[])) AND {_HAS_BUILDING}", _BUILT),
    ),
    Check(
        "improved_without_building",
        "Improved classes without a building",
        "warns",
        Role.VALUATION_STAFF,
        _of_roll(
            f"r.property_class = ANY(CAST(:improved_classes AS text[])) AND NOT coalesce({_HAS_BUILDING}, false)",
            _BUILT,
        ),
    ),
    Check(
        "class_against_use",
        "Classes that contradict the parcel's class or use",
        "warns",
        Role.VALUATION_STAFF,
        _of_roll(
            "r.property_class <> r.parcel_class OR NOT"
            " jsonb_exists(CAST(:classes_of_use AS jsonb) -> r.property_type, r.property_class)",
            "concat('roll ', r.property_class, ', parcel ', r.parcel_class, ', use ', r.property_type)",
        ),
    ),
    Check(
        "large_change_undecided",
        "Changes over the limit that no person has decided",
        "blocks",
        Role.ASSESSOR,
        # the few rows first (OFFSET keeps the planner from merging them): else each row is looked up in two tables
        "SELECT r.assessment_id, r.property_id, concat('from ', r.prior_total_value, ' to ', r.total_value)"
        " FROM (SELECT * FROM checked_roll WHERE total_value - prior_total_value > :increase_limit"
        "  OR prior_total_value - total_value > :decrease_limit OFFSET 0) AS r"
        " WHERE NOT EXISTS (SELECT FROM field_overrides AS o WHERE o.county_id = :county_id AND o.ended_at IS NULL"
        "  AND o.field = 'total_value' AND (o.table_name, o.row_key) IN (('assessments', r.assessment_id),"
        "  ('properties_operational', r.property_id)))"
        " AND NOT EXISTS (SELECT FROM appeals AS ap WHERE ap.county_id = :county_id"
        "  AND ap.property_id = r.property_id AND ap.roll_year = :roll_year"
        "  AND ap.status IN ('decided', 'stipulated'))",
    ),
    Check(
        "expired_exemption",
        "Exemptions whose period is over, or whose renewal is due",
        "blocks",
        Role.ASSESSOR,
        "SELECT e.exemption_id, e.property_id, concat(e.exemption_type, ', granted until ', g.last_year,"
        "  ', renewal due ', g.renewal_year) FROM exemptions AS e JOIN exemption_grants AS g"
        " ON g.county_id = e.county_id AND g.property_id = e.property_id AND g.exemption_type = e.exemption_type"
        " WHERE e.county_id = :county_id AND e.roll_year = :roll_year AND e.retired_at IS NULL"
        " AND g.status IN ('granted', 'ended') AND (g.last_year < :roll_year OR g.renewal_year <= :roll_year"
        "  OR g.status = 'ended') AND NOT EXISTS (SELECT FROM exemption_grants AS n WHERE n.county_id = e.county_id"
        "  AND n.property_id = e.property_id AND n.exemption_type = e.exemption_type AND n.status = 'granted'"
        "  AND :roll_year BETWEEN n.first_year AND n.last_year"
        "  AND (n.renewal_year IS NULL OR n.renewal_year > :roll_year))"
        " UNION SELECT CAST(g.grant_id AS text), g.property_id, concat(g.exemption_type, ', renewal due ',"
        "  g.renewal_year) FROM exemption_grants AS g WHERE g.county_id = :county_id AND g.status = 'granted'"
        " AND :roll_year BETWEEN g.first_year AND g.last_year AND g.renewal_year <= :roll_year"
        " AND NOT EXISTS (SELECT FROM exemptions AS e WHERE e.county_id = g.county_id"
        "  AND e.property_id = g.property_id AND e.exemption_type = g.exemption_type AND e.roll_year = :roll_year"
        "  AND e.retired_at IS NULL)",
    ),
    Check(
        "parcel_without_shape",
        "Parcels without a shape",
        "warns",
        Role.ASSESSOR,
        _of_roll("r.has_parcel AND NOT r.has_shape", "concat('parcel ', r.parcel_number)"),
    ),
    Check(
        "parcel_without_district",
        "Parcels without a tax district",
        "warns",
        Role.ASSESSOR,
        _of_roll("r.has_parcel AND r.tax_district IS NULL", "concat('parcel ', r.parcel_number)"),
    ),
    Check(
        "parcel_without_neighborhood",
        "Parcels without a neighborhood",
        "warns",
        Role.VALUATION_STAFF,
        _of_roll("r.has_parcel AND r.neighborhood IS NULL", "concat('parcel ', r.parcel_number)"),
    ),
    Check(
        "parcel_without_owner",
        "Parcels without an owner",
        "warns",
        Role.ASSESSOR,
        _of_roll("r.has_parcel AND r.owners = 0", "concat('parcel ', r.parcel_number)"),
    ),
    Check(
        "ratio_out_of_range",
        f"Neighborhoods with a median ratio outside {MIN_MEDIAN:.2f} to {MAX_MEDIAN:.2f} in the newest study",
        "warns",
        Role.ASSESSOR,
        "SELECT n.neighborhood, CAST(NULL AS text), concat('median ', round(CAST(n.median AS numeric), 3), ' of ',"
        "  n.sales, ' sales') FROM neighborhood_ratios AS n WHERE n.county_id = :county_id AND n.study_id ="
        "  (SELECT j.job_id FROM jobs AS j JOIN neighborhood_ratios AS s ON s.county_id = j.county_id"
        "   AND s.study_id = j.job_id WHERE j.county_id = :county_id ORDER BY j.created_at DESC LIMIT 1)"
        f" AND n.median NOT BETWEEN {MIN_MEDIAN} AND {MAX_MEDIAN}",
    ),
    Check(
        "rejected_row_open",
        "Rows of the county's system in quarantine",
        "blocks",
        Role.IT_ADMIN,
        "SELECT concat(q.run_id, '/', q.row_no), CAST(NULL AS text), concat(q.table_name, ' ', q.source_key)"
        " FROM rejected_rows AS q WHERE q.county_id = :county_id AND q.resolution IS NULL"
        " AND q.table_name IN ('properties_operational', 'assessments', 'exemptions')",
    ),
    Check(
        "appeal_open",
        "Appeals that are not decided",
        "warns",
        Role.ASSESSOR,
        "SELECT CAST(ap.appeal_id AS text), ap.property_id, concat('appeal ', ap.appeal_no, ', ', ap.status)"
        " FROM appeals AS ap WHERE ap.county_id = :county_id AND ap.roll_year = :roll_year"
        " AND ap.status IN ('filed', 'informal', 'scheduled', 'heard')",
    ),
    Check(
        "sale_undecided",
        "Flagged sales that nobody has decided",
        "warns",
        Role.VALUATION_STAFF,
        "SELECT s.sale_id, s.property_id, concat('flagged: ', string_agg(DISTINCT f.rule, ', '))"
        " FROM sale_flags AS f JOIN sales AS s ON s.county_id = f.county_id AND s.sale_id = f.sale_id"
        " WHERE f.county_id = :county_id AND f.cleared_at IS NULL AND s.retired_at IS NULL"
        " AND NOT EXISTS (SELECT FROM sale_decisions AS d WHERE d.county_id = f.county_id AND d.sale_id = f.sale_id"
        "  AND d.superseded_at IS NULL) GROUP BY s.sale_id, s.property_id",
    ),
)


def parameters_of(county_id: str, roll_year: int, settings: RollSettings) -> Mapping[str, Any]:
    """The parameters of the checks' SQL."""
    return {
        "county_id": county_id,
        "roll_year": roll_year,
        "vacant_classes": list(settings.vacant_classes),
        "improved_classes": list(settings.improved_classes),
        "classes_of_use": json.dumps(settings.classes_of_use),
        "increase_limit": settings.increase_limit,
        "decrease_limit": settings.decrease_limit,
    }
