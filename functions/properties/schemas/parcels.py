"""Properties as the API shows them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from shared.rolls.totals import ClassTotals, RollTotals
from shared.schemas import RequestSchema, Schema

MAX_AMOUNT = 10**12
"""Dollars or square feet: the database's columns hold fourteen digits, two of them decimals."""


Text = Annotated[str, StringConstraints(max_length=500)]


Year = Annotated[int, Field(ge=1600, le=2200)]


Area = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]


AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


Rooms = Annotated[Decimal, Field(ge=0, max_digits=5, decimal_places=2)]


class PropertySummary(Schema):
    """A property in a list. Areas are square feet, coordinates degrees (WGS 84), values the county's dollars."""

    property_id: str
    parcel_number: str | None
    situs_address: str | None
    situs_city: str | None
    situs_zip: str | None
    property_type: str | None
    property_class: str | None
    neighborhood: str | None
    longitude: float | None
    latitude: float | None
    land_area_sqft: Decimal | None
    living_area_sqft: Decimal | None
    year_built: int | None
    total_value: Decimal | None
    last_sale_date: date | None
    last_sale_price: Decimal | None
    version: int
    valid_from: datetime
    retired_at: datetime | None


PROPERTY_SORTS: Mapping[str, type] = {
    "property_id": str,
    "parcel_number": str,
    "situs_address": str,
    "neighborhood": str,
    "property_class": str,
    "land_area_sqft": Decimal,
    "living_area_sqft": Decimal,
    "year_built": int,
    "total_value": Decimal,
    "last_sale_date": date,
    "last_sale_price": Decimal,
    "valid_from": datetime,
}
"""Fields by which properties are sorted, with the types of their values."""


class PropertyDetail(PropertySummary):
    """A property as it was known at one time; `version` is its ETag."""

    county_id: str
    situs_number: str | None
    situs_prefix: str | None
    situs_street: str | None
    situs_suffix: str | None
    situs_unit: str | None
    situs_state: str | None
    legal_description: str | None
    effective_year: int | None
    bedrooms: Decimal | None
    bathrooms: Decimal | None
    stories: Decimal | None
    condition: str | None
    quality: str | None
    attributes: Mapping[str, Any] | None
    land_value: Decimal | None
    improvement_value: Decimal | None
    tax_district: str | None
    exemption_flags: list[str] | None
    source_system: str
    sync_run_id: UUID | None


class PropertyPatch(RequestSchema):
    """Corrections of a person; a field that is left out stays, null clears it.

    Values are not among them: they come from a sync or from an approved valuation. A correction of a field stands
    until the county's own system has another value of that field. Of `attributes` only the keys that are named change;
    null takes one away.
    """

    situs_number: Text | None = None
    situs_prefix: Text | None = None
    situs_street: Text | None = None
    situs_suffix: Text | None = None
    situs_unit: Text | None = None
    situs_city: Text | None = None
    situs_state: Text | None = None
    situs_zip: Text | None = None
    situs_address: Text | None = None
    legal_description: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    property_type: Text | None = None
    property_class: Text | None = None
    neighborhood: Text | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    land_area_sqft: Area | None = None
    living_area_sqft: Area | None = None
    year_built: Year | None = None
    effective_year: Year | None = None
    bedrooms: Rooms | None = None
    bathrooms: Rooms | None = None
    stories: Rooms | None = None
    condition: Text | None = None
    quality: Text | None = None
    attributes: dict[AttributeName, Text | StrictInt | StrictFloat | StrictBool | None] | None = None


class FieldChange(Schema):
    """A field's value before and after."""

    old: Any
    new: Any


class VersionAuthor(Schema):
    """Whose doing a version is: of a sync, a person's edit, an approval of values or its undoing, or an appeal.

    `by` is who edited, who approved (or undid) the values, who decided the appeal, or who started or approved the sync;
    `source` the system that a sync read.
    """

    kind: Literal["sync", "edit", "approval", "approval_undone", "upload", "roll_back", "appeal"]
    by: str | None
    sync_run_id: UUID | None = None
    source: str | None = None
    valuation_run_id: UUID | None = None
    approval_id: UUID | None = None
    appeal_id: UUID | None = None


class PropertyVersion(Schema):
    """One version of a property: when it held, who made it, the sync that brought what it is based on (None after an
    edit), and what it changed, each attribute for itself.
    """

    version: int
    valid_from: datetime
    valid_to: datetime | None
    author: VersionAuthor
    sync_run_id: UUID | None
    retired: bool
    changes: dict[str, FieldChange]


class PropertySale(Schema):
    """A transfer of the property; `validity_code` says whether it is evidence of market value.

    Where a person decided on that, `decision` (valid or invalid) goes before the code.
    """

    sale_id: str
    sale_date: date
    sale_price: Decimal
    validity_code: str
    sale_type: str | None
    deed_type: str | None
    instrument_number: str | None
    parcel_count: int | None
    seller: str | None
    buyer: str | None
    decision: str | None


class BoundingBox(Schema):
    """A window in degrees."""

    min_longitude: float
    min_latitude: float
    max_longitude: float
    max_latitude: float


class PropertyFilter(Schema):
    """Filter of a search of properties; all conditions given must hold."""

    parcel_number: str | None = None
    property_class: str | None = None
    neighborhood: str | None = None
    bbox: BoundingBox | None = None
    updated_since: datetime | None = None
    q: str | None = None
    include_retired: bool = False
    min_total_value: Decimal | None = None
    max_total_value: Decimal | None = None
    min_land_area_sqft: Decimal | None = None
    max_land_area_sqft: Decimal | None = None
    min_living_area_sqft: Decimal | None = None
    max_living_area_sqft: Decimal | None = None
    min_year_built: int | None = None
    max_year_built: int | None = None
    attributes: dict[str, str] = Field(default_factory=dict)


PROPERTY_RANGES = ("total_value", "land_area_sqft", "living_area_sqft", "year_built")
"""Fields of which a filter has the least and the largest value."""


SALE_SORTS: Mapping[str, type] = {
    "sale_id": str,
    "sale_date": date,
    "sale_price": Decimal,
    "ratio": Decimal,
    "neighborhood": str,
    "property_class": str,
}
"""Fields by which sales are sorted, with the types of their values."""


class Improvement(Schema):
    """A building or another improvement on a parcel. The area is square feet, the value the county's dollars."""

    improvement_id: str
    improvement_type: str | None
    description: str | None
    area_sqft: Decimal | None
    year_built: int | None
    effective_year: int | None
    quality: str | None
    condition: str | None
    improvement_value: Decimal | None
    attributes: Mapping[str, Any] | None
    version: int
    valid_from: datetime
    retired_at: datetime | None
    sync_run_id: UUID | None


class ImprovementHistory(Schema):
    """Every version of one improvement, newest first."""

    improvement_id: str
    versions: list[PropertyVersion]


RollChange = Literal["added", "changed", "removed", "returned"]


class RollFilter(Schema):
    """Filter of the differences of two rolls; a class is that of before or of after."""

    change: RollChange | None = None
    property_class: str | None = None


class RollComparison(Schema):
    """The roll at two moments: what it came to, by class and in all, and how many parcels differ."""

    before_at: datetime
    after_at: datetime
    before: RollTotals
    after: RollTotals
    property_classes: list[ClassTotals]
    changes: dict[RollChange, int]


class ParcelChange(Schema):
    """A parcel that differs between two rolls; a removed one has no fields."""

    property_id: str
    parcel_number: str | None
    change: RollChange
    fields: dict[str, FieldChange]
