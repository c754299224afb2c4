"""The layer of sales. `s` is the sale, `d` the decision of a person on it, `p` its parcel."""

from shared.access import Permission
from shared.layers.model import CodedDomain, Column, Layer
from shared.layers.parcels import PARCEL_BOUNDS, PARCEL_COLUMNS
from shared.sale_validity import DECISION_JOIN, SALE_RATIO, SALE_VALIDITY

VALIDITY_CODES = CodedDomain(
    "sale_validity",
    "Validity of a sale as evidence of market value",
    (
        ("valid", "Valid"),
        ("invalid", "Invalid by a person's decision"),
        ("not_arms_length", "Not at arm's length"),
        ("multi_parcel", "Several parcels in one sale"),
        ("nominal_price", "Nominal price"),
        ("unverified", "Not verified"),
    ),
)

SALES = Layer(
    name="sales",
    title="Sales",
    description="The recorded sales at the position of their parcel, with the ratio of assessed value to price.",
    geometry="point",
    key="sale_id",
    columns=(
        Column("sale_id", "Sale ID", "text", "s.sale_id"),
        Column("property_id", "Property ID", "text", "s.property_id"),
        Column("sale_date", "Date of sale", "date", "s.sale_date"),
        Column("sale_price", "Sale price", "real", "s.sale_price", "US dollars"),
        Column("validity_code", "Validity by the county's code", "text", "s.validity_code", domain=VALIDITY_CODES),
        Column("validity", "Validity, by decision or by code", "text", SALE_VALIDITY, domain=VALIDITY_CODES),
        Column(
            "ratio",
            "Assessed total value divided by sale price",
            "real",
            SALE_RATIO,
        ),
        Column("sale_type", "Sale type", "text", "s.sale_type"),
        Column("deed_type", "Deed type", "text", "s.deed_type"),
        Column("instrument_number", "Recording instrument", "text", "s.instrument_number"),
        Column("parcel_count", "Parcels in the sale", "integer", "s.parcel_count"),
        *(PARCEL_COLUMNS[name] for name in ("parcel_number", "situs_address", "property_class", "neighborhood")),
        Column("updated_at", "Since when the record is as it is", "datetime", "s.valid_from"),
    ),
    tables=(
        "sales s LEFT JOIN properties_operational p ON p.county_id = s.county_id AND p.property_id = s.property_id"
        f"{DECISION_JOIN}"
    ),
    condition="s.county_id = {county_id} AND s.retired_at IS NULL",
    shape="CASE WHEN p.longitude IS NULL OR p.latitude IS NULL THEN p.geometry END",
    longitude="p.longitude",
    latitude="p.latitude",
    bounds=PARCEL_BOUNDS,
    permission=Permission.VIEW_PROPERTIES,
)
