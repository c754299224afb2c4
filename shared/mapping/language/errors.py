"""Errors of a mapping: what is wrong, and where it stands in the text."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.problems import Fault, Unprocessable

Path = tuple[str | int, ...]
"""The place of an element in a mapping: `("table_mappings", 0, "type")`."""

ElementError = tuple[Path, str]
"""An error in a mapping's element: the element's path, and the message."""


@dataclass(frozen=True, order=True)
class Diagnostic:
    """An error at its place in the text. `line` and `column` count from 1; `path` names the element:
    `table_mappings[0].field_map[2].type`.
    """

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.path + ': ' if self.path else ''}{self.message}"


class MappingError(ValueError):
    """A mapping that cannot be used; `diagnostics` holds all of its errors, in the order of the text."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = sorted(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))

    def as_problem(self, pointer: str) -> Unprocessable:
        """The problem of a request whose mapping stands at `pointer`: a fault for each error, with its line."""
        faults = tuple(
            Fault(pointer, f"line {error.line}, column {error.column}: {error.message}", line=error.line)
            for error in self.diagnostics
        )
        return Unprocessable(
            f"The mapping has {len(faults)} fault(s); see errors.", slug="mapping-invalid", faults=faults
        )


def unknown_name(
    noun: str, name: str, known: Collection[str], synonyms: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> str:
    """The message for a name that is not known, with the nearest known one: by its meaning, or else by its letters."""
    meant = [synonym for synonym in synonyms.get(name.lower(), ()) if synonym in known]
    near = meant or difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or 'none'}"
    return f"there is no {noun} named {name!r}{hint}"


COLUMN_SYNONYMS: Mapping[str, tuple[str, ...]] = {
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
"""Counties' names for our columns, where a comparison of letters would suggest another column or none."""
