"""SQL of the list of neighborhoods."""
# ruff: noqa: S608 - definitions of ours; values are parameters

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from shared.sale_validity import DECISION_JOIN, SALE_VALIDITY

NEWEST_STUDY = (
    "SELECT j.job_id, j.finished_at FROM jobs j WHERE j.county_id = :county_id AND j.kind = 'ratio_study'"
    " AND j.status = 'succeeded' AND EXISTS (SELECT FROM neighborhood_ratios r"
    " WHERE r.county_id = j.county_id AND r.study_id = j.job_id) ORDER BY j.finished_at DESC, j.job_id LIMIT 1"
)
"""SQL of the newest ratio study that has figures of neighborhoods."""
RATIOS = (
    "jsonb_build_object('study_id', r.study_id, 'studied_at', study.finished_at, 'sales', r.sales,"
    " 'median', r.median, 'cod', r.cod, 'prd', r.prd)"
)
"""SQL of a neighborhood's figures (`r`) in a study (`study`)."""
_PAGE = f"""
WITH names AS MATERIALIZED (
    SELECT DISTINCT neighborhood FROM properties_operational
    WHERE county_id = :county_id AND retired_at IS NULL AND neighborhood > :after ORDER BY neighborhood LIMIT :limit),
parcels AS (
    SELECT p.neighborhood, count(*) AS parcels, sum(p.total_value) AS total_value,
        round(CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY p.total_value) FILTER (WHERE p.total_value > 0)
            AS numeric), 2) AS median_value
    FROM properties_operational p WHERE p.county_id = :county_id AND p.retired_at IS NULL
        AND p.neighborhood IN (SELECT neighborhood FROM names) GROUP BY 1),
sold AS (
    SELECT p.neighborhood, count(*) AS sales, min(s.sale_date) AS first_sale_date, max(s.sale_date) AS last_sale_date,
        round(CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.sale_price) AS numeric), 2) AS median_sale_price
    FROM sales s JOIN properties_operational p ON p.county_id = s.county_id AND p.property_id = s.property_id
        AND p.retired_at IS NULL{DECISION_JOIN}
    WHERE s.county_id = :county_id AND s.retired_at IS NULL AND {SALE_VALIDITY} = 'valid'
        AND s.sale_date >= coalesce(CAST(:first_day AS date), s.sale_date)
        AND s.sale_date <= coalesce(CAST(:last_day AS date), s.sale_date)
        AND p.neighborhood IN (SELECT neighborhood FROM names) GROUP BY 1),
study AS ({NEWEST_STUDY})
SELECT a.neighborhood, a.parcels, a.median_value, a.total_value, coalesce(b.sales, 0) AS sales, b.median_sale_price,
    b.first_sale_date, b.last_sale_date, CASE WHEN r.study_id IS NOT NULL THEN {RATIOS} END AS ratios
FROM parcels a LEFT JOIN sold b USING (neighborhood) LEFT JOIN study ON true
    LEFT JOIN neighborhood_ratios r ON r.county_id = :county_id AND r.study_id = study.job_id
        AND r.neighborhood = a.neighborhood
ORDER BY a.neighborhood"""


def page(
    connection: Connection, county_id: str, first_day: date | None, last_day: date | None, *, after: str, limit: int
) -> list[dict[str, Any]]:
    """Neighborhoods of the current roll by name, those after `after`; with the valid sales of a period."""
    values = {"county_id": county_id, "first_day": first_day, "last_day": last_day, "after": after, "limit": limit}
    return [dict(row._mapping) for row in connection.execute(text(_PAGE), values)]
