"""Faults of sense: where they stand in a mapping, and what they are."""

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType

from shared.mapping.language.document import Path

Fault = tuple[Path, str]


OTHER_WORDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("appraised_value", "market_value", "full_value", "just_value", "true_value", "full_cash_value"),
        ("total_value",),
    ),
    "assessed_value": ("total_value", "assessed_value"),
    "assessed_total_value": ("total_value",),
    **dict.fromkeys(
        ("building_value", "bldg_value", "structure_value", "impr_value", "dwelling_value"), ("improvement_value",)
    ),
    **dict.fromkeys(("apn", "pin", "parid", "parcel_id", "parcel_no", "tax_id", "folio"), ("parcel_number",)),
    **dict.fromkeys(("price", "sales_price", "sale_amount", "consideration"), ("sale_price", "last_sale_price")),
    **dict.fromkeys(("document_number", "deed_number", "recording_number"), ("instrument_number",)),
    **dict.fromkeys(("grantor", "seller_name"), ("seller",)),
    **dict.fromkeys(("grantee", "buyer_name"), ("buyer",)),
    **dict.fromkeys(("owner_name", "taxpayer"), ("name",)),
    **dict.fromkeys(("sqft", "square_feet", "gla", "gross_living_area", "finished_area"), ("living_area_sqft",)),
    **dict.fromkeys(("lot_size", "lot_area", "land_sqft", "acreage"), ("land_area_sqft",)),
    **dict.fromkeys(("zip", "zip_code", "postal_code"), ("situs_zip", "mailing_zip")),
    **dict.fromkeys(("grade", "construction_quality"), ("quality",)),
    **dict.fromkeys(("nbhd", "neighborhood_code", "market_area"), ("neighborhood",)),
}
"""Counties' words for our columns, where the letters would suggest another one or none."""


def unknown(
    what: str, name: str, known: Collection[str], other_words: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> str:
    """Says that a name is not known, with the nearest one that is: by its meaning, or else by its letters."""
    meant = [one for one in other_words.get(name.lower(), ()) if one in known]
    near = meant or difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or 'none'}"
    return f"there is no {what} named {name!r}{hint}"
