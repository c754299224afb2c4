"""Ratio studies as the API shows them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from shared.schemas import Schema

ValueSource = Literal["assessed", "model"]
StratumName = Literal[
    "neighborhood", "property_class", "city", "quality", "sale_quarter", "price_quartile", "size_quartile"
]
Verdict = Literal["meets", "does not meet", "indeterminate", "insufficient sample"]


def _each_once(names: tuple[StratumName, ...]) -> tuple[StratumName, ...]:
    if len(set(names)) != len(names):
        raise ValueError("name each stratum once")
    return names


class RatioStudyRequest(Schema):
    """What is to be studied.

    `assessed` compares each property's current total value with its price; `model` compares the value by comparable
    sales as of the valuation date (the day after `to` unless given), each found without the sale's own price.
    Prices are carried to the valuation date unless `time_adjust_prices` is false; without a valuation date assessed
    values are compared with the prices as they were paid. `price_quartile` is by the mean of price and
    level-corrected value, because quartiles of the price alone would make any study look regressive.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    value_source: ValueSource
    sale_from: date = Field(alias="from")
    sale_to: date = Field(alias="to")
    valuation_date: date | None = None
    time_adjust_prices: bool | None = None
    strata: Annotated[tuple[StratumName, ...], AfterValidator(_each_once)] = ()
    trim: bool = True
    iterations: int = Field(default=1000, ge=100, le=10_000, description="bootstrap resamples")
    seed: int = Field(default=20130401, ge=0, le=2**63 - 1, description="of the bootstrap")
    confidence: float = Field(default=0.95, ge=0.5, le=0.999)
    minimum_sample: int = Field(default=5, ge=5, le=100_000)

    @model_validator(mode="after")
    def _period_runs_forward(self) -> "RatioStudyRequest":
        if self.sale_from > self.sale_to:
            raise ValueError("from must not be after to")
        if self.time_adjust_prices and self.valuation_date is None and self.value_source == "assessed":
            raise ValueError("time_adjust_prices needs a valuation_date to adjust to")
        return self


class Statistic(Schema):
    """A statistic with its confidence interval; `low` and `high` are null where the sample allows none."""

    value: float
    low: float | None
    high: float | None


class StatisticVerdict(Schema):
    """One statistic held against its range; `sentence` can be quoted."""

    statistic: str
    result: Verdict
    range_low: float
    range_high: float
    sentence: str


class Trimming(Schema):
    """What was left out as outliers. `capped`: more lay beyond the fences than the 10 % that may be trimmed."""

    trimmed: int
    beyond_fences: int
    low_fence: float
    high_fence: float
    capped: bool


class SalesChasing(Schema):
    """Signs that sold properties were revalued to their prices."""

    suspected: bool
    low_cod: bool
    largest_step: float
    share_near_one: float


class StudyResult(Schema):
    """One sample studied; statistics by name: median, mean, weighted_mean, cod, cov, prd, prb, mki, vei."""

    sales: int
    trimming: Trimming
    statistics: dict[str, Statistic]
    verdicts: tuple[StatisticVerdict, ...]
    sales_chasing: SalesChasing
    notes: tuple[str, ...]


class StratumResult(Schema):
    """One stratum: its study, or why there is none."""

    stratum: StratumName
    value: str
    sales: int
    study: StudyResult | None
    reason: str | None


class RatioStudyResults(Schema):
    """The whole study. `sales_excluded` counts the county's other sales by reason."""

    value_source: ValueSource
    sale_from: date
    sale_to: date
    valuation_date: date | None
    prices_time_adjusted: bool
    standard: str
    overall: StudyResult
    strata: tuple[StratumResult, ...]
    sales_excluded: dict[str, int]
