"""SQL of a sale's validity as evidence of market value."""

DECISION_JOIN = (
    " LEFT JOIN sale_decisions d ON d.county_id = s.county_id AND d.sale_id = s.sale_id AND d.superseded_at IS NULL"
)
SALE_VALIDITY = "coalesce(nullif(d.decision, 'as_coded'), s.validity_code)"
"""SQL of a sale's validity (`s`, joined by DECISION_JOIN): what a person decided goes before the county's code."""
