"""Sales and neighborhoods as lists."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from shared.schemas import Schema


class ListedSale(Schema):
    """A sale in a list: `validity` is a person's decision, or else the county's code.

    `ratio` is the parcel's current total value over the price as it was paid, null where one of them is unknown, or
    the parcel is no longer on the roll. Parties are shown with the property's own sales only.
    """

    sale_id: str
    property_id: str
    parcel_number: str | None
    situs_address: str | None
    neighborhood: str | None
    property_class: str | None
    sale_date: date
    sale_price: Decimal
    validity_code: str
    decision: Literal["valid", "invalid"] | None
    validity: str
    total_value: Decimal | None
    ratio: float | None
    sale_type: str | None
    deed_type: str | None
    instrument_number: str | None
    parcel_count: int | None
    version: int
    valid_from: datetime


SaleDecisionFilter = Literal["valid", "invalid", "none"]


class SaleFilter(Schema):
    """Filter of the list of sales; all conditions given must hold. Days and prices include both ends."""

    first_day: date | None = None
    last_day: date | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    validity: str | None = None
    decision: SaleDecisionFilter | None = None
    neighborhood: str | None = None
    property_class: str | None = None
    property_id: str | None = None


class NeighborhoodRatios(Schema):
    """A neighborhood's figures in the newest ratio study of the whole county that was stratified by neighborhood.

    The statistics are null where its sales are too few for them.
    """

    study_id: UUID
    studied_at: datetime
    sales: int
    median: float | None
    cod: float | None
    prd: float | None


class Neighborhood(Schema):
    """A neighborhood of the current roll: its parcels and their values, its valid sales and their prices."""

    neighborhood: str
    parcels: int
    median_value: Decimal | None
    total_value: Decimal | None
    sales: int
    median_sale_price: Decimal | None
    first_sale_date: date | None
    last_sale_date: date | None
    ratios: NeighborhoodRatios | None
