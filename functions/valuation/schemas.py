"""Valuations as the API shows them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from shared.schemas import Schema


class ValuationRequest(Schema):
    """Which property is to be valued as of which day."""

    property_id: str = Field(min_length=1, max_length=200)
    valuation_date: date


class ValueInterval(Schema):
    """The interval in which a sale on the valuation date is expected with probability `coverage`."""

    low: Decimal
    high: Decimal
    coverage: float


class Adjustment(Schema):
    """What one difference is worth, in dollars and as a percentage of the price before this adjustment."""

    name: str
    amount: Decimal
    percent: float
    subject_value: str | float | None
    comparable_value: str | float | None


class Comparable(Schema):
    """A sale and its adjustments; the price plus all amounts is the adjusted price.

    `similarity` is 1 for a twin; `weight` is the sale's share of the value.
    """

    sale_id: str
    property_id: str
    address: str | None
    sale_date: date
    sale_price: Decimal
    distance_km: float | None
    similarity: float
    adjustments: tuple[Adjustment, ...]
    adjusted_price: Decimal
    weight: float


class TimeTrend(Schema):
    """The price trend that sale prices were carried to the valuation date with."""

    first_sale_date: date
    last_sale_date: date
    sales: int
    annual_change_percent: float
    standard_error_percent: float = Field(description="of the factor from the last sale to the valuation date")


class Flag(Schema):
    """Something a reader of the value should know."""

    code: str
    text: str


class ValuationResponse(Schema):
    """A value and everything that explains it.

    `confidence` is the estimated probability (0 to 1), from the method's errors on past sales it had not seen, that
    a sale on the valuation date would fall within 10 % of the estimate.
    """

    valuation_id: UUID
    property_id: str
    valuation_date: date
    method: str
    estimate: Decimal
    interval: ValueInterval
    confidence: float
    comparables: tuple[Comparable, ...]
    time_trend: TimeTrend
    flags: tuple[Flag, ...]
    sales_used: int
    sales_excluded: dict[str, int]
    created_by: str
    created_at: datetime
