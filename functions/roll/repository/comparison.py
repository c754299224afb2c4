"""SQL of a roll beside another year's."""

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, text

_COMPARE = """
WITH rows AS (
    SELECT property_id, roll_year, assessment_id, source_system, coalesce(total_value, 0) AS total,
        coalesce(assessed_value, 0) AS assessed
    FROM assessments WHERE county_id = :county_id AND roll_year IN (:before, :after) AND retired_at IS NULL
), decided AS (
    SELECT row_key, min(CASE origin WHEN 'approval' THEN 'model' ELSE 'edit' END) AS origin FROM field_overrides
    WHERE county_id = :county_id AND table_name = 'assessments' AND ended_at IS NULL
        AND field IN ('total_value', 'land_value', 'improvement_value', 'assessed_value') GROUP BY row_key
), appealed AS (
    SELECT DISTINCT property_id FROM appeals WHERE county_id = :county_id AND roll_year = :after
        AND status IN ('decided', 'stipulated') AND outcome <> 'sustained'
), compared AS (
    SELECT CASE
            WHEN b.property_id IS NULL THEN 'new'
            WHEN a.property_id IS NULL THEN 'retired'
            WHEN a.total = b.total AND a.assessed = b.assessed THEN NULL
            WHEN p.property_id IS NOT NULL THEN 'appeal'
            WHEN a.total = b.total THEN 'exemption'
            WHEN d.origin IS NOT NULL THEN d.origin
            WHEN a.source_system = :platform THEN 'model'
            ELSE 'sync'
        END AS reason,
        coalesce(b.total, 0) AS total_before, coalesce(a.total, 0) AS total_after,
        coalesce(b.assessed, 0) AS assessed_before, coalesce(a.assessed, 0) AS assessed_after,
        a.property_id IS NOT NULL AS on_after, b.property_id IS NOT NULL AS on_before
    FROM (SELECT * FROM rows WHERE roll_year = :after) AS a
    FULL JOIN (SELECT * FROM rows WHERE roll_year = :before) AS b USING (property_id)
    LEFT JOIN decided AS d ON d.row_key = a.assessment_id
    LEFT JOIN appealed AS p ON p.property_id = a.property_id
)
SELECT reason, count(*) AS assessments, count(*) FILTER (WHERE on_before) AS before_rows,
    count(*) FILTER (WHERE on_after) AS after_rows, sum(total_before) AS total_before, sum(total_after) AS total_after,
    sum(assessed_before) AS assessed_before, sum(assessed_after) AS assessed_after
FROM compared GROUP BY reason ORDER BY reason
"""


class ReasonRow(NamedTuple):
    """The parcels of one reason, or those without a difference (None)."""

    reason: str | None
    assessments: int
    before_rows: int
    after_rows: int
    total_before: Decimal
    total_after: Decimal
    assessed_before: Decimal
    assessed_after: Decimal


def by_reason(connection: Connection, county_id: str, *, before: int, after: int, platform: str) -> list[ReasonRow]:
    """The parcels of both rolls by the reason of their difference; `platform` is the source of rows made here."""
    parameters = {"county_id": county_id, "before": before, "after": after, "platform": platform}
    return [ReasonRow(*row) for row in connection.execute(text(_COMPARE), parameters)]
