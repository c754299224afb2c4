"""The rules of chapter 458-53 WAC on single sales, on strata and on ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from shared.counties.submission_settings import WashingtonStratum

CENT = Decimal("0.01")
PRICE_SHARE = Decimal("0.99")
"""One percent is deducted from a price for what is not assessable as real property (WAC 458-53-070(3))."""
MIN_RATIO, MAX_RATIO = Decimal("0.25"), Decimal("1.75")
"""Limits of a sale's ratio: under 25 percent or over 175 percent it is excluded (WAC 458-53-070(4))."""
MAX_OUTLIER_SHARE = Decimal("0.05")
"""More such sales than five percent of the county's valid ones are considered all the same (WAC 458-53-070(4))."""
OUTLIER_REASON = 8
"""The number of the reason of a sale outside these limits (WAC 458-53-080(2), code 8)."""
RATIO_PLACES = Decimal("0.001")
"""Ratios of strata have three places, as the illustration of WAC 458-53-160(5) has them."""


def sale_period(assessment_year: int) -> tuple[date, date]:
    """1 May of the year before to 30 April of the assessment year (WAC 458-53-070(2))."""
    return date(assessment_year - 1, 5, 1), date(assessment_year, 4, 30)


def adjusted_price(sale_price: Decimal) -> Decimal:
    """The price less one percent, to the cent."""
    return (sale_price * PRICE_SHARE).quantize(CENT, ROUND_HALF_UP)


def is_outlier(assessed_value: Decimal, adjusted: Decimal) -> bool:
    """True for a ratio under 25 or over 175 percent; exactly 25 and 175 percent are within."""
    return not MIN_RATIO * adjusted <= assessed_value <= MAX_RATIO * adjusted


def outliers_are_considered(outliers: int, valid_sales: int) -> bool:
    """True where sales outside the limits are more than five percent of the valid ones, themselves included."""
    return outliers > MAX_OUTLIER_SHARE * valid_sales


def strata_of(strata: Sequence[WashingtonStratum], land_use: str | None, value: Decimal) -> list[str]:
    """The names of the strata that a land use code and an assessed value fall into: one, if they are set well."""
    return [
        stratum.name
        for stratum in strata
        if land_use in stratum.land_use_codes
        and stratum.min_value <= value
        and (stratum.max_value is None or value <= stratum.max_value)
    ]


@dataclass(frozen=True)
class StratumSample:
    """A stratum's sample, and its value on the roll."""

    average_assessed_value: Decimal | None
    average_market_value: Decimal | None
    roll_value: Decimal


def stratum_ratio(sample: StratumSample) -> Decimal | None:
    """The average assessed value over the average market value (WAC 458-53-020(6) and (8)); None without a sample."""
    if sample.average_assessed_value is None or not sample.average_market_value:
        return None
    return (sample.average_assessed_value / sample.average_market_value).quantize(RATIO_PLACES, ROUND_HALF_UP)


def indicated_ratio(samples: Sequence[StratumSample]) -> Decimal | None:
    """The county's ratio in percent, to one place, by the steps that WAC 458-53-160 describes and illustrates.

    Each stratum's value on the roll over its ratio is its indicated market value; the sum of the former over that of
    the latter is the county's ratio. None where a stratum with value on the roll has no sample: there the department
    adds appraisals (WAC 458-53-070(1)).
    """
    on_roll = [sample for sample in samples if sample.roll_value > 0]
    ratios = [stratum_ratio(sample) for sample in on_roll]
    if not on_roll or not all(ratios):
        return None
    indicated = sum(
        (sample.roll_value / ratio for sample, ratio in zip(on_roll, ratios, strict=True) if ratio), start=Decimal(0)
    )
    return (100 * sum(sample.roll_value for sample in on_roll) / indicated).quantize(Decimal("0.1"), ROUND_HALF_UP)
