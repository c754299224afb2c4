"""A ratio study's results: written by the study, answered by its API, and read by the reports on it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import model_validator

from shared.appraisal.codes import VerdictCode, VerdictResult
from shared.schemas import Schema

ValueSource = Literal["assessed", "roll", "model", "valuation_run"]
ChasingTestName = Literal["sold_and_unsold", "before_and_after_valuation_date"]

_CODES_BY_LABEL: dict[str, VerdictCode] = {
    "stratum's median": "median_against_overall",
    "median": "median",
    "COD": "cod",
    "PRD": "prd",
    "PRB": "prb",
    "MKI": "mki",
    "VEI": "vei",
}
"""Beginnings of verdicts' labels in studies that were stored before verdicts had codes."""


class Statistic(Schema):
    """A statistic with its confidence interval; `low` and `high` are null where the sample allows none."""

    value: float
    low: float | None
    high: float | None


class StatisticVerdict(Schema):
    """One statistic held against its range; `sentence` can be quoted."""

    code: VerdictCode
    statistic: str
    result: VerdictResult
    range_low: float
    range_high: float
    sentence: str

    @model_validator(mode="before")
    @classmethod
    def _with_code(cls, value: Any) -> Any:
        """Give a verdict of a study that was stored before verdicts had codes its code, by its label."""
        if not isinstance(value, Mapping) or "code" in value:
            return value
        label = str(value.get("statistic"))
        code = next((code for start, code in _CODES_BY_LABEL.items() if label.startswith(start)), None)
        return value if code is None else {"code": code, **value}


class Trimming(Schema):
    """Outliers left out. `capped`: more lay beyond the fences than the 10 % that may be trimmed."""

    trimmed: int
    beyond_fences: int
    low_fence: float
    high_fence: float
    capped: bool


class SalesChasing(Schema):
    """Signs that sold properties were revalued to their prices.

    `largest_step` is the largest share of ratios that are one value to three decimals, `share_near_one` the share of
    ratios within 0.98 and 1.02, `normal_share` what a normal distribution of their mean and deviation would put there.
    `sentence` says the rule, its thresholds and what was found.
    """

    suspected: bool
    low_cod: bool
    largest_step: float
    share_near_one: float
    normal_share: float | None = None
    sentence: str = ""


class ValueGroup(Schema):
    """Sales of one part of the range of values: their median value and ratio, and the ratio's 90 % interval."""

    sales: int
    median_value: float
    median_ratio: float
    low: float
    high: float


class VerticalEquity(Schema):
    """The groups behind the VEI, the lowest value first.

    `significance` is the gap between the intervals of the groups with the highest and the lowest ratio, in percent of
    the median; 0 where they overlap.
    """

    groups: tuple[ValueGroup, ...]
    significance: float


class ChasingTest(Schema):
    """Two groups of properties compared: changes of value of sold and unsold ones, or ratios before and after.

    `p_value` is Mann and Whitney's; `sentence` can be quoted.
    """

    test: ChasingTestName
    first_sales: int
    second_sales: int
    first_median: float
    second_median: float
    p_value: float
    suspected: bool
    sentence: str


class StudyResult(Schema):
    """One sample studied; statistics by name: median, mean, weighted_mean, cod, cov, prd, prb, mki, vei."""

    sales: int
    trimming: Trimming
    statistics: dict[str, Statistic]
    verdicts: tuple[StatisticVerdict, ...]
    vertical_equity: VerticalEquity | None
    sales_chasing: SalesChasing
    notes: tuple[str, ...]


class TrimmedSale(Schema):
    """A sale that the overall study leaves out as an outlier; the price is as studied, time-adjusted or as paid."""

    sale_id: str
    property_id: str
    sale_date: date
    price: float
    value: float
    ratio: float


class StratumResult(Schema):
    """One stratum: its study, or why there is none."""

    stratum: str
    value: str
    sales: int
    study: StudyResult | None
    reason: str | None


class RatioBin(Schema):
    """The number of studied sales whose ratio is at least `low` and below `high`, outliers left out.

    The first range holds those below it too, the last those above it.
    """

    low: float
    high: float
    sales: int


class MonthLevel(Schema):
    """The median ratio of a month's studied sales, outliers left out; `month` is its first day."""

    month: date
    sales: int
    median: float
    low: float | None
    high: float | None


class LeftOutSale(Schema):
    """A sale of the study's period that is not studied, and why: a reason of `sales_excluded`.

    Neighborhood and class are "" where they are unknown, as of a property that is not on the roll.
    """

    sale_id: str
    property_id: str
    sale_date: date
    sale_price: float
    reason: str
    neighborhood: str = ""
    property_class: str = ""


STUDIED_SALES_FILE = "studied-sales.json"
"""The object in a study's folder that holds its `StudiedSales`."""


class StudiedSales(Schema):
    """The sales of a study, column by column, and those of its period that were left out.

    `prices` are as studied: adjusted for time, or as paid (`sale_prices`).
    """

    sale_ids: tuple[str, ...]
    property_ids: tuple[str, ...]
    sale_dates: tuple[date, ...]
    neighborhoods: tuple[str, ...]
    property_classes: tuple[str, ...]
    sale_prices: tuple[float, ...]
    prices: tuple[float, ...]
    values: tuple[float, ...]
    ratios: tuple[float, ...]
    trimmed: tuple[bool, ...]
    left_out: tuple[LeftOutSale, ...]


class RatioStudyResults(Schema):
    """The whole study. `sales_excluded` counts the county's other sales by reason.

    `trimmed_sales` are those that the overall study trimmed, the thousand furthest from a ratio of one. `ratio_bins`
    and `months` are empty in studies that were made before they had them.
    """

    value_source: ValueSource
    roll_year: int | None
    valuation_run_id: UUID | None
    sale_from: date
    sale_to: date
    valuation_date: date | None
    prices_time_adjusted: bool
    standard: str
    overall: StudyResult
    strata: tuple[StratumResult, ...]
    chasing_tests: tuple[ChasingTest, ...]
    trimmed_sales: tuple[TrimmedSale, ...]
    sales_excluded: dict[str, int]
    ratio_bins: tuple[RatioBin, ...] = ()
    months: tuple[MonthLevel, ...] = ()
