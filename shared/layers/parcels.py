"""The layer of parcels. `p` is the parcel."""

from shared.access import Permission
from shared.layers.model import Column, Layer

PARCEL_IS_CURRENT = "p.county_id = {county_id} AND p.retired_at IS NULL"
PARCEL_BOUNDS = ("p.longitude", "p.latitude", "p.longitude", "p.latitude")
PARCEL_COLUMNS = {
    column.name: column
    for column in (
        Column("property_id", "Property ID", "text", "p.property_id"),
        Column("parcel_number", "Parcel number", "text", "p.parcel_number"),
        Column("situs_address", "Situs address", "text", "p.situs_address"),
        Column("situs_city", "Situs city", "text", "p.situs_city"),
        Column("situs_state", "Situs state", "text", "p.situs_state"),
        Column("situs_zip", "Situs ZIP code", "text", "p.situs_zip"),
        Column("legal_description", "Legal description", "text", "p.legal_description"),
        Column("property_type", "Property type", "text", "p.property_type"),
        Column("property_class", "Property class", "text", "p.property_class"),
        Column("neighborhood", "Neighborhood", "text", "p.neighborhood"),
        Column("land_area_sqft", "Land area", "real", "p.land_area_sqft", "square feet"),
        Column("living_area_sqft", "Living area", "real", "p.living_area_sqft", "square feet"),
        Column("year_built", "Year built", "integer", "p.year_built"),
        Column("effective_year", "Effective year built", "integer", "p.effective_year"),
        Column("bedrooms", "Bedrooms", "real", "p.bedrooms"),
        Column("bathrooms", "Bathrooms", "real", "p.bathrooms"),
        Column("stories", "Stories", "real", "p.stories"),
        Column("condition", "Condition", "text", "p.condition"),
        Column("quality", "Construction quality", "text", "p.quality"),
        Column("land_value", "Assessed land value", "real", "p.land_value", "US dollars"),
        Column("improvement_value", "Assessed improvement value", "real", "p.improvement_value", "US dollars"),
        Column("total_value", "Assessed total value", "real", "p.total_value", "US dollars"),
        Column("last_sale_date", "Date of the last sale", "date", "p.last_sale_date"),
        Column("last_sale_price", "Price of the last sale", "real", "p.last_sale_price", "US dollars"),
        Column("tax_district", "Tax district", "text", "p.tax_district"),
        Column(
            "exemption_flags",
            "Exemptions",
            "text",
            "CASE jsonb_typeof(p.exemption_flags) WHEN 'array' THEN"
            " (SELECT string_agg(flag, ', ' ORDER BY place)"
            " FROM jsonb_array_elements_text(p.exemption_flags) WITH ORDINALITY AS f(flag, place)) END",
        ),
        Column("updated_at", "Since when the record is as it is", "datetime", "p.valid_from"),
    )
}

PARCELS = Layer(
    name="parcels",
    title="Parcels",
    description="The parcels of the current roll with their characteristics and assessed values.",
    geometry="mixed",
    key="property_id",
    columns=tuple(PARCEL_COLUMNS.values()),
    tables="properties_operational p",
    condition=PARCEL_IS_CURRENT,
    shape="p.geometry",
    longitude="p.longitude",
    latitude="p.latitude",
    bounds=PARCEL_BOUNDS,
    indexed_by_point=True,
    permission=Permission.VIEW_PROPERTIES,
)
