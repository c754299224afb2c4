"""SQL of a sale as evidence of market value: its validity, and its ratio."""

DECISION_JOIN = (
    " LEFT JOIN sale_decisions d ON d.county_id = s.county_id AND d.sale_id = s.sale_id AND d.superseded_at IS NULL"
)
SALE_VALIDITY = "coalesce(nullif(d.decision, 'as_coded'), s.validity_code)"
"""SQL of a sale's validity (`s`, joined by DECISION_JOIN): what a person decided goes before the county's code."""
SALE_RATIO = "CASE WHEN p.total_value > 0 AND s.sale_price > 0 THEN p.total_value / s.sale_price END"
"""SQL of the ratio of a sale (`s`) and its parcel (`p`): the current total value over the price as it was paid, as a
ratio study of assessed values takes it without adjusting prices. Legacy systems write 0 for a value that is not known.
"""
