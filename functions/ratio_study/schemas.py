"""Ratio studies as the API shows them."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from shared.appraisal.parameters import BOOTSTRAP_ITERATIONS, BOOTSTRAP_SEED, CONFIDENCE, MIN_SALES_FOR_STATISTICS
from shared.contracts.ratio_study import StratumResult, StudyResult, ValueSource
from shared.schemas import RequestSchema, Schema

MAX_PAIRS = 10_000
"""Pairs of one request. A choice: with MAX_RESAMPLED_PAIRS it leaves a thousand resamples of all of them."""
MAX_PAIR_STRATA = 5
"""Names of strata a pair. A choice; each costs as much as the overall study."""

PropertyKind = Literal["residential_homogeneous", "residential", "income", "rural", "vacant"]

PRICE_STRATA = ("price_quartile", "price_decile")
NEIGHBORHOOD = "neighborhood"
DERIVED_STRATA = (
    *(NEIGHBORHOOD, "property_class", "city", "quality", "sale_quarter", "size_quartile"),
    *PRICE_STRATA,
)
TEXT_COLUMNS = ("property_type", "condition", "tax_district", "situs_zip")
NUMBER_COLUMNS = (
    *("year_built", "effective_year", "bedrooms", "bathrooms", "stories", "living_area_sqft", "land_area_sqft"),
)
ATTRIBUTE_PREFIX = "attributes."
_ATTRIBUTE = re.compile(r"attributes\.[A-Za-z0-9_][A-Za-z0-9_ .-]{0,99}")
_STRATA = (*DERIVED_STRATA, *TEXT_COLUMNS, *NUMBER_COLUMNS)


def _known_stratum(name: str) -> str:
    if name not in _STRATA and not _ATTRIBUTE.fullmatch(name):
        raise ValueError(f"is no stratum; there are {', '.join(_STRATA)}, and attributes.<name>")
    return name


Stratum = Annotated[
    str,
    AfterValidator(_known_stratum),
    Field(description=f"{', '.join(_STRATA)}, or attributes.<name> for one of the county's own attributes"),
]


def _require_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("name each stratum once")
    return names


Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1, max_length=1000)]
SaleIds = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1, max_length=10_000)
]


class StudyFilter(RequestSchema):
    """Filter of a study's sales: those that meet every condition given. Without any, all of them."""

    property_classes: Names | None = None
    neighborhoods: Names | None = None
    sale_ids: SaleIds | None = None


class RatioStudyRequest(RequestSchema):
    """Request for a ratio study.

    `assessed` compares each property's current total value with its price, `roll` the total value of a `roll_year`,
    `valuation_run` that of a finished `valuation_run_id`; `model` compares the value by comparable sales as of the
    valuation date (the day after `to` unless given), each found without the sale's own price.
    Prices are carried to the valuation date unless `time_adjust_prices` is false; a run has its own valuation date,
    and without one values are compared with the prices as they were paid. Numbers with many values are cut into
    quartiles as strata. `price_quartile` and `price_decile` are by the mean of price and level-corrected value, because
    parts by the price alone would make any study look regressive. `property_kinds` says of property classes which
    range of COD holds, where the class's name does not. A `filter` takes some of the period's sales; prices are carried
    by the trend of all of them.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    value_source: ValueSource
    roll_year: Annotated[int, Field(ge=1800, le=2200)] | None = None
    valuation_run_id: UUID | None = None
    sale_from: date = Field(alias="from")
    sale_to: date = Field(alias="to")
    filter: StudyFilter = StudyFilter()
    valuation_date: date | None = None
    time_adjust_prices: bool | None = None
    strata: Annotated[tuple[Stratum, ...], AfterValidator(_require_distinct), Field(max_length=20)] = ()
    property_kinds: dict[str, PropertyKind] = Field(default_factory=dict)
    trim: bool = True
    iterations: int = Field(default=BOOTSTRAP_ITERATIONS, ge=100, le=10_000, description="bootstrap resamples")
    seed: int = Field(default=BOOTSTRAP_SEED, ge=0, le=2**63 - 1, description="of the bootstrap")
    confidence: float = Field(default=CONFIDENCE, ge=0.5, le=0.999)
    minimum_sample: int = Field(default=MIN_SALES_FOR_STATISTICS, ge=MIN_SALES_FOR_STATISTICS, le=100_000)

    @model_validator(mode="after")
    def _is_consistent(self) -> "RatioStudyRequest":
        if self.sale_from > self.sale_to:
            raise ValueError("from must not be after to")
        if self.time_adjust_prices and self.valuation_date is None and self.value_source in ("assessed", "roll"):
            raise ValueError("time_adjust_prices needs a valuation_date to adjust to")
        for source, name in (("roll", "roll_year"), ("valuation_run", "valuation_run_id")):
            if (self.value_source == source) != (getattr(self, name) is not None):
                raise ValueError(f"{name} belongs to the value_source {source}, and is needed there")
        return self


_ABOVE_ZERO = WithJsonSchema({"type": "number", "exclusiveMinimum": 0})


class RatioPair(RequestSchema):
    """A sale: what its property is said to be worth, what was paid, and what strata are made of, by name."""

    value: Annotated[Any, _ABOVE_ZERO] = None
    price: Annotated[Any, _ABOVE_ZERO] = None
    strata: dict[
        Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=200)] | float | bool | None
    ] = Field(default_factory=dict, max_length=MAX_PAIR_STRATA)


class RatioStatisticsRequest(RequestSchema):
    """A list of pairs to be studied as they are: no county, no time adjustment.

    `property_kind` says which range of COD holds; without it COD is measured and not judged. The cost is the number of
    pairs times `iterations`, once for all of them and once for each name of strata; a request that costs more than ten
    million is refused with what to do.
    """

    sales: Annotated[list[RatioPair], Field(min_length=1, max_length=MAX_PAIRS)]
    property_kind: PropertyKind | None = None
    trim: bool = True
    iterations: int = Field(default=BOOTSTRAP_ITERATIONS, ge=100, le=10_000, description="bootstrap resamples")
    seed: int = Field(default=BOOTSTRAP_SEED, ge=0, le=2**63 - 1, description="of the bootstrap")
    confidence: float = Field(default=CONFIDENCE, ge=0.5, le=0.999)
    minimum_sample: int = Field(default=MIN_SALES_FOR_STATISTICS, ge=MIN_SALES_FOR_STATISTICS, le=100_000)


class RatioStatistics(Schema):
    """Ratio statistics of a list of pairs, overall and by stratum."""

    standard: str
    overall: StudyResult
    strata: tuple[StratumResult, ...]
