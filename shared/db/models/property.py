"""The tables that a county's mapping fills."""

from datetime import date
from typing import Any

from sqlalchemy import Computed, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from shared.db.models.base import Count, Model, Money, Quantity, Synced


class Box(UserDefinedType[str]):
    """PostgreSQL's `box`: two opposite corners, what a GiST index can search."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "box"


class PropertyOperational(Synced, Model):
    """A parcel as the assessor works with it: situs, characteristics, current values."""

    __tablename__ = "properties_operational"

    property_id: Mapped[str] = mapped_column(primary_key=True)
    parcel_number: Mapped[str | None]
    situs_number: Mapped[str | None]
    situs_prefix: Mapped[str | None]
    situs_street: Mapped[str | None]
    situs_suffix: Mapped[str | None]
    situs_unit: Mapped[str | None]
    situs_city: Mapped[str | None]
    situs_state: Mapped[str | None]
    situs_zip: Mapped[str | None]
    situs_address: Mapped[str | None]
    legal_description: Mapped[str | None]
    property_type: Mapped[str | None]
    property_class: Mapped[str | None]
    neighborhood: Mapped[str | None]
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    geometry: Mapped[bytes | None] = mapped_column(LargeBinary)
    land_area_sqft: Mapped[Quantity | None]
    living_area_sqft: Mapped[Quantity | None]
    year_built: Mapped[int | None]
    effective_year: Mapped[int | None]
    bedrooms: Mapped[Count | None]
    bathrooms: Mapped[Count | None]
    stories: Mapped[Count | None]
    condition: Mapped[str | None]
    quality: Mapped[str | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    land_value: Mapped[Money | None]
    improvement_value: Mapped[Money | None]
    total_value: Mapped[Money | None]
    last_sale_date: Mapped[date | None]
    last_sale_price: Mapped[Money | None]
    tax_district: Mapped[str | None]
    exemption_flags: Mapped[list[str] | None] = mapped_column(JSONB)
    location: Mapped[str | None] = mapped_column(
        Box, Computed("box(point(longitude, latitude), point(longitude, latitude))", persisted=True)
    )

    __table_args__ = (
        Index(None, "county_id", "parcel_number"),
        Index(None, "county_id", "neighborhood", "property_id"),
        Index(None, "county_id", "valid_from"),
        # numbers, because row-level security keeps PostgreSQL from searching an index by a box
        Index(None, "county_id", "longitude", "latitude"),
    )


class Improvement(Synced, Model):
    """A building or another improvement on a parcel."""

    __tablename__ = "improvements"

    improvement_id: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    improvement_type: Mapped[str | None]
    description: Mapped[str | None]
    area_sqft: Mapped[Quantity | None]
    year_built: Mapped[int | None]
    effective_year: Mapped[int | None]
    quality: Mapped[str | None]
    condition: Mapped[str | None]
    improvement_value: Mapped[Money | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "property_id"),)


class Sale(Synced, Model):
    """A transfer of a parcel, with what the county knows of its validity as evidence of market value.

    `validity_code` is one of valid, not_arms_length, multi_parcel, nominal_price, unverified.
    """

    __tablename__ = "sales"

    sale_id: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    sale_date: Mapped[date]
    sale_price: Mapped[Money]
    validity_code: Mapped[str]
    sale_type: Mapped[str | None]
    deed_type: Mapped[str | None]
    instrument_number: Mapped[str | None]
    parcel_count: Mapped[int | None]
    seller: Mapped[str | None]
    buyer: Mapped[str | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "property_id"), Index(None, "county_id", "sale_date"))


class Owner(Synced, Model):
    """Who owns a parcel, in which share (0 to 1)."""

    __tablename__ = "owners"

    owner_id: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    name: Mapped[str | None]
    ownership_share: Mapped[float | None]
    mailing_address: Mapped[str | None]
    mailing_city: Mapped[str | None]
    mailing_state: Mapped[str | None]
    mailing_zip: Mapped[str | None]
    confidential: Mapped[bool | None]

    __table_args__ = (Index(None, "county_id", "property_id"),)


class Assessment(Synced, Model):
    """A parcel's values of one roll year."""

    __tablename__ = "assessments"

    assessment_id: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    roll_year: Mapped[int]
    land_value: Mapped[Money | None]
    improvement_value: Mapped[Money | None]
    total_value: Mapped[Money | None]
    assessed_value: Mapped[Money | None]
    property_class: Mapped[str | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "property_id"), Index(None, "county_id", "roll_year"))


class Exemption(Synced, Model):
    """A relief from tax that a parcel has in a roll year."""

    __tablename__ = "exemptions"

    exemption_id: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    exemption_type: Mapped[str | None]
    amount: Mapped[Money | None]
    roll_year: Mapped[int | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "property_id"),)
