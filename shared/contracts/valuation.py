"""A value with everything that explains it: given out by the valuation API, and read by reports."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.schemas import Schema

LandMethod = Literal["own_land_share", "neighborhood_land_share", "class_land_share", "land_contribution"]


class ValueInterval(Schema):
    """The interval in which a sale on the valuation date is expected with probability `coverage`."""

    low: Decimal
    high: Decimal
    coverage: float


class Adjustment(Schema):
    """The adjustment for one difference, in dollars and as a percentage of the price before this adjustment."""

    name: str
    amount: Decimal
    percent: float
    subject_value: str | float | None
    comparable_value: str | float | None


class Comparable(Schema):
    """A sale and its adjustments; the price plus all amounts is the adjusted price.

    `similarity` is 1 for a twin; `weight` is the sale's share of the value by comparable sales.
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


class ModelReference(Schema):
    """The model that a value was given out by. `valuation_date` is the day that it was trained for."""

    model_id: UUID
    valuation_date: date
    champion: bool


class Contribution(Schema):
    """The contribution of one feature to the value, in dollars; `value` is the property's own, null where unknown."""

    name: str
    amount: Decimal
    value: str | float | None


class Contributions(Schema):
    """From the county's typical value (`base`) to this one: the base and all amounts add up to the estimate."""

    base: Decimal
    features: tuple[Contribution, ...]


class LandSplit(Schema):
    """The value of the land and of what stands on it; together they are the estimate. `text` says how it was found."""

    land_value: Decimal
    improvement_value: Decimal
    land_share: float
    method: LandMethod
    text: str


class CurrentValue(Schema):
    """The property's value on the current roll, and how far the estimate is from it (percent of the current one)."""

    total_value: Decimal
    change_percent: float


class ValuationResponse(Schema):
    """A value and everything that explains it.

    `confidence` is the estimated probability (0 to 1), from the method's errors on past sales it had not seen, that
    a sale on the valuation date would fall within 10 % of the estimate; `review` says that it is below the county's
    threshold. `components` are the values of the models that the estimate reconciles,
    `component_weights` their shares of it. Without a champion for the
    property's class and the day, `model` is null and the value is by comparable sales alone, by a model of the county's
    sales that is kept.
    """

    valuation_id: UUID
    property_id: str
    valuation_date: date
    method: str
    model: ModelReference | None = None
    age_days: int | None = Field(
        default=None, description="from the last sale that the model has seen to the valuation date"
    )
    estimate: Decimal
    interval: ValueInterval
    confidence: float
    review: bool = False
    current: CurrentValue | None = None
    land: LandSplit | None = None
    contributions: Contributions | None = None
    components: dict[str, Decimal] = Field(default_factory=dict)
    component_weights: dict[str, float] = Field(default_factory=dict)
    comparables: tuple[Comparable, ...]
    time_trend: TimeTrend
    flags: tuple[Flag, ...]
    sales_used: int
    sales_excluded: dict[str, int]
    created_by: str
    created_at: datetime
