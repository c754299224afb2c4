"""A property as its record card shows it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shared.schemas import Schema

_TENTH = Decimal("0.1")


class PropertyIdentity(Schema):
    """The parcel: where it is, and what kind of property."""

    property_id: str
    parcel_number: str | None
    situs_address: str | None
    situs_city: str | None
    situs_zip: str | None
    legal_description: str | None
    property_type: str | None
    property_class: str | None
    neighborhood: str | None
    tax_district: str | None
    longitude: float | None
    latitude: float | None
    retired_at: datetime | None


class Characteristics(Schema):
    """Land and building; `attributes` are the county's own."""

    land_area_sqft: Decimal | None
    living_area_sqft: Decimal | None
    year_built: int | None
    effective_year: int | None
    bedrooms: Decimal | None
    bathrooms: Decimal | None
    stories: Decimal | None
    condition: str | None
    quality: str | None
    attributes: dict[str, Any]


class YearValue(Schema):
    """The values of a roll year."""

    roll_year: int
    property_class: str | None
    land_value: Decimal | None
    improvement_value: Decimal | None
    total_value: Decimal | None
    assessed_value: Decimal | None


class YearChange(Schema):
    """The change of the total value from one roll year to the next one that has a value; in percent of the former."""

    roll_year: int
    previous_roll_year: int
    total_value: Decimal
    total_value_percent: Decimal | None


class BuildingRecord(Schema):
    """A building or another improvement."""

    improvement_id: str
    improvement_type: str | None
    description: str | None
    area_sqft: Decimal | None
    year_built: int | None
    quality: str | None
    condition: str | None
    improvement_value: Decimal | None


class SaleRecord(Schema):
    """A transfer, with its validity as evidence of market value: a person's decision before the county's code."""

    sale_id: str
    sale_date: date
    sale_price: Decimal
    validity: str
    deed_type: str | None
    instrument_number: str | None


class OwnerRecord(Schema):
    """An owner. Of a confidential one, name and address are withheld."""

    name: str | None
    ownership_share: float | None
    mailing: str | None
    withheld: bool


class ExemptionRecord(Schema):
    """An exemption of a roll year."""

    exemption_type: str | None
    roll_year: int | None
    amount: Decimal | None


class FieldChangeRecord(Schema):
    """A field that a version of the property's record changed."""

    changed_at: datetime
    version: int
    field: str
    before: str | None
    after: str | None


class PropertyRecord(Schema):
    """A property with everything on its card but the map."""

    identity: PropertyIdentity
    characteristics: Characteristics
    land_value: Decimal | None
    improvement_value: Decimal | None
    total_value: Decimal | None
    values: tuple[YearValue, ...]
    change: YearChange | None
    improvements: tuple[BuildingRecord, ...]
    sales: tuple[SaleRecord, ...]
    owners: tuple[OwnerRecord, ...]
    exemptions: tuple[ExemptionRecord, ...]
    history: tuple[FieldChangeRecord, ...]


def latest_change(values: Sequence[YearValue]) -> YearChange | None:
    """The change between the two newest roll years with a total value; None where there are not two."""
    known: dict[int, Decimal] = {}
    for value in values:
        if value.total_value is not None:
            known[value.roll_year] = known.get(value.roll_year, Decimal(0)) + value.total_value
    if len(known) < 2:
        return None
    year, previous = sorted(known, reverse=True)[:2]
    change = known[year] - known[previous]
    percent = (100 * change / known[previous]).quantize(_TENTH) if known[previous] else None
    return YearChange(roll_year=year, previous_roll_year=previous, total_value=change, total_value_percent=percent)
