"""The layer of values by valuation runs. `p` is the parcel, `v` its newest value, `q` its latest qualified sale."""

from shared.access import Permission
from shared.layers.model import Column, Layer
from shared.layers.parcels import PARCEL_BOUNDS, PARCEL_COLUMNS, PARCEL_IS_CURRENT
from shared.sale_validity import DECISION_JOIN, SALE_VALIDITY

_NEWEST_VALUE = (
    "SELECT r.*, run.valuation_date FROM valuation_runs run JOIN valuation_run_results r"
    " ON r.county_id = run.county_id AND r.run_id = run.run_id AND r.property_id = p.property_id"
    " WHERE run.county_id = {county_id} AND run.valued IS NOT NULL AND r.estimate IS NOT NULL"
    " ORDER BY run.valuation_date DESC, run.planned_at DESC, run.run_id LIMIT 1"
)
"""Of finished runs only: `valued` is counted at the end of a run."""
_QUALIFIED_SALE = (
    f"SELECT s.sale_date, s.sale_price FROM sales s{DECISION_JOIN}"  # noqa: S608 - names of ours
    " WHERE s.county_id = {county_id} AND s.property_id = p.property_id AND s.retired_at IS NULL"
    f" AND {SALE_VALIDITY} = 'valid' AND s.sale_price > 0 ORDER BY s.sale_date DESC, s.sale_id DESC LIMIT 1"
)
_IN_FILTER = " AND ".join(
    f"(a.filter -> '{name}' IS NULL OR jsonb_exists(a.filter -> '{name}', v.{column}))"
    for name, column in (
        ("property_classes", "property_class"),
        ("neighborhoods", "neighborhood"),
        ("property_ids", "property_id"),
    )
)
_APPROVED_FOR = (
    "(SELECT max(a.roll_year) FROM valuation_approvals a WHERE a.county_id = v.county_id AND a.run_id = v.run_id"  # noqa: S608
    f" AND a.undone_at IS NULL AND {_IN_FILTER}"
    " AND (a.filter -> 'review' IS NULL OR CAST(a.filter ->> 'review' AS boolean) = v.review))"
)

VALUES = Layer(
    name="values",
    title="Values",
    description=(
        "Each valued parcel of the current roll with the newest value of a finished valuation run, its change on the"
        " assessed value that it was compared with, and its ratio to the parcel's latest qualified sale (the price as"
        " it was paid, without adjustment for time)."
    ),
    geometry="mixed",
    key="property_id",
    columns=(
        *(
            PARCEL_COLUMNS[name]
            for name in ("property_id", "parcel_number", "situs_address", "property_class", "neighborhood")
        ),
        Column("valuation_date", "Valuation date", "date", "v.valuation_date"),
        Column("estimate", "Value by the run", "real", "v.estimate", "US dollars"),
        Column("lower", "Lower end of the value's interval", "real", "v.lower", "US dollars"),
        Column("upper", "Upper end of the value's interval", "real", "v.upper", "US dollars"),
        Column("confidence", "Confidence of the value, 0 to 1", "real", "v.confidence"),
        Column("review", "Flagged for review", "boolean", "v.review"),
        Column("current_value", "Assessed total value when the run valued it", "real", "v.current_value", "US dollars"),
        Column(
            "change_percent",
            "Change of the value on current_value",
            "real",
            "100.0 * (v.estimate / nullif(v.current_value, 0) - 1.0)",
            "percent",
        ),
        Column("total_value", "Assessed total value today", "real", "p.total_value", "US dollars"),
        Column("approved_for", "Roll year that the value was approved for", "integer", _APPROVED_FOR),
        Column("sale_date", "Date of the latest qualified sale", "date", "q.sale_date"),
        Column("sale_price", "Price of the latest qualified sale", "real", "q.sale_price", "US dollars"),
        Column("ratio", "Value divided by the price of the latest qualified sale", "real", "v.estimate / q.sale_price"),
        Column("run_id", "Valuation run", "text", "CAST(v.run_id AS text)"),
    ),
    tables=(
        f"properties_operational p JOIN LATERAL ({_NEWEST_VALUE}) v ON true"
        f" LEFT JOIN LATERAL ({_QUALIFIED_SALE}) q ON true"
    ),
    condition=PARCEL_IS_CURRENT,
    shape="p.geometry",
    longitude="p.longitude",
    latitude="p.latitude",
    bounds=PARCEL_BOUNDS,
    indexed_by_point=True,
    permission=Permission.VIEW_VALUATION,
)
