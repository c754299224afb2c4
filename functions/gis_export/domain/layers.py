"""Layers of an export: the columns of each, and the SQL that each comes from.

`p` is the parcel, `s` the sale. Names of sellers and buyers stay out: a layer is handed on, and an owner may be
under protection. Free-form attributes stay out too: they have no type.
"""

from dataclasses import dataclass
from typing import Literal

from functions.gis_export.schemas import LayerName

Kind = Literal["text", "integer", "real", "date", "datetime"]


@dataclass(frozen=True)
class Column:
    """A column of a layer; `expression` is its SQL."""

    name: str
    kind: Kind
    expression: str

    @property
    def sql(self) -> str:
        """The expression in the text form that `functions.gis_export.domain.copy_text` reads."""
        match self.kind:
            case "real":
                return f"coalesce({self.expression}::float8, 'NaN')"
            case "date":
                return f"to_char({self.expression}, 'YYYY-MM-DD')"
            case "datetime":
                return f"""to_char({self.expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS')"""
            case _:
                return self.expression


@dataclass(frozen=True)
class Layer:
    """A layer: its columns and the tables that they are read from.

    `shape` is the SQL of the parcel's shape where it is wanted. A layer of `points_only` has the parcel's point, or
    one inside the shape; others have the shape, or the point where there is no shape.
    """

    name: LayerName
    title: str
    shape: str
    points_only: bool
    columns: tuple[Column, ...]
    tables: str
    condition: str
    key: str


def _columns(table: str, **kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind, f"{table}.{name}") for name, kind in kinds.items())


PARCELS = Layer(
    name="parcels",
    title="Parcels with their characteristics and current values (areas in square feet, values in dollars)",
    shape="p.geometry",
    points_only=False,
    columns=(
        *_columns(
            "p",
            property_id="text",
            parcel_number="text",
            situs_address="text",
            situs_city="text",
            situs_state="text",
            situs_zip="text",
            legal_description="text",
            property_type="text",
            property_class="text",
            neighborhood="text",
            land_area_sqft="real",
            living_area_sqft="real",
            year_built="integer",
            effective_year="integer",
            bedrooms="real",
            bathrooms="real",
            stories="real",
            condition="text",
            quality="text",
            land_value="real",
            improvement_value="real",
            total_value="real",
            last_sale_date="date",
            last_sale_price="real",
            tax_district="text",
        ),
        Column(
            "exemption_flags",
            "text",
            "CASE jsonb_typeof(p.exemption_flags) WHEN 'array' THEN"
            " (SELECT string_agg(flag, ', ' ORDER BY place)"
            " FROM jsonb_array_elements_text(p.exemption_flags) WITH ORDINALITY AS f(flag, place)) END",
        ),
        Column("updated_at", "datetime", "p.valid_from"),
    ),
    tables="properties_operational p",
    condition="p.county_id = {county_id} AND p.retired_at IS NULL",
    key="p.property_id",
)

SALES = Layer(
    name="sales",
    title="Sales at the position of their parcel (prices in dollars)",
    shape="CASE WHEN p.location IS NULL THEN p.geometry END",
    points_only=True,
    columns=(
        *_columns(
            "s",
            sale_id="text",
            property_id="text",
            sale_date="date",
            sale_price="real",
            validity_code="text",
            sale_type="text",
            deed_type="text",
            instrument_number="text",
            parcel_count="integer",
        ),
        *_columns("p", parcel_number="text", situs_address="text", property_class="text", neighborhood="text"),
        Column("updated_at", "datetime", "s.valid_from"),
    ),
    tables="sales s LEFT JOIN properties_operational p ON p.county_id = s.county_id AND p.property_id = s.property_id",
    condition="s.county_id = {county_id} AND s.retired_at IS NULL",
    key="s.sale_id",
)

LAYERS: dict[LayerName, Layer] = {layer.name: layer for layer in (PARCELS, SALES)}
