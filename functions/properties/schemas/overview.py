"""All that a page about a property shows."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from functions.properties.schemas.market import NeighborhoodRatios
from functions.properties.schemas.parcels import Improvement, PropertyDetail, PropertySale, VersionAuthor
from shared.schemas import Schema


class PropertyValue(Schema):
    """The values of a parcel on the roll of a year, and whose doing they are: of a sync, or of an approval."""

    assessment_id: str
    roll_year: int
    land_value: Decimal | None
    improvement_value: Decimal | None
    total_value: Decimal | None
    assessed_value: Decimal | None
    property_class: str | None
    valid_from: datetime
    author: VersionAuthor


class PropertyExemption(Schema):
    """A relief from tax."""

    exemption_id: str
    exemption_type: str | None
    amount: Decimal | None
    roll_year: int | None


class PropertyOwner(Schema):
    """An owner; of a confidential one only the share is shown to who may not edit properties."""

    owner_id: str
    name: str | None
    ownership_share: float | None
    mailing_address: str | None
    mailing_city: str | None
    mailing_state: str | None
    mailing_zip: str | None
    confidential: bool


class OpenFlag(Schema):
    """A standing flag against a sale as evidence of market value."""

    rule: str
    reason: str
    flagged_at: datetime


class OverviewSale(PropertySale):
    """A sale with its validity by decision or code, its ratio, and its standing flags."""

    validity: str
    ratio: float | None
    flags: list[OpenFlag]


class NewestValue(Schema):
    """The newest value that the platform has found: in a valuation of the property alone, or in a run of many.

    `contributions` are dollars by feature, counted from `base`.
    """

    valuation_id: UUID | None
    valuation_run_id: UUID | None
    valuation_date: date
    valued_at: datetime
    estimate: Decimal
    low: Decimal | None
    high: Decimal | None
    confidence: float | None
    review: bool
    base: Decimal | None
    contributions: dict[str, Decimal] | None


class DecidedField(Schema):
    """A field's value that was decided here, and the source's that it stood against.

    `ended_at` is set of a conflict: the source has brought another value since, which won.
    """

    field: str
    value: Any
    source_value: Any
    origin: Literal["edit", "approval", "upload", "appeal"]
    made_by: str
    made_at: datetime
    ended_at: datetime | None


class PropertyOverview(Schema):
    """A property and all that a page about it shows; what the caller may not see is null.

    `versions` counts the property's versions, the present one included; of other lists the first 500 are shown.
    """

    property: PropertyDetail
    author: VersionAuthor
    versions: int
    values: list[PropertyValue]
    improvements: list[Improvement]
    sales: list[OverviewSale]
    exemptions: list[PropertyExemption]
    owners: list[PropertyOwner]
    newest_value: NewestValue | None
    neighborhood_ratios: NeighborhoodRatios | None
    overrides: list[DecidedField]
    conflicts: list[DecidedField]
    links: dict[str, str]
