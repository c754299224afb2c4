"""Washington's rules, at their edges and with the example of the code itself."""

from datetime import date
from decimal import Decimal

import pytest

from functions.state_submissions.domain.states import STATES
from functions.state_submissions.domain.states.washington.rules import (
    StratumSample,
    adjusted_price,
    indicated_ratio,
    is_outlier,
    outliers_are_considered,
    sale_period,
    strata_of,
    stratum_ratio,
)
from shared.counties.submission_settings import WashingtonSettings, WashingtonStratum

ADJUSTED = Decimal(100_000)


@pytest.mark.parametrize(
    ("value", "outlier"),
    [("24990", True), ("24999.99", True), ("25000", False), ("175000", False), ("175000.01", True), ("175010", True)],
)
def test_ratios_of_25_and_of_175_percent_are_within_the_limits(value: str, outlier: bool) -> None:
    """24.99 and 175.01 percent are not (WAC 458-53-070(4))."""
    assert is_outlier(Decimal(value), ADJUSTED) == outlier


@pytest.mark.parametrize(
    ("outliers", "valid", "considered"), [(0, 0, False), (1, 20, False), (2, 39, True), (3, 60, False), (4, 60, True)]
)
def test_more_than_five_percent_of_outliers_are_considered(outliers: int, valid: int, considered: bool) -> None:
    """Exactly five percent are not more than five (WAC 458-53-070(4))."""
    assert outliers_are_considered(outliers, valid) == considered


def test_the_sales_of_a_year_are_of_may_to_april() -> None:
    """WAC 458-53-070(2)."""
    assert sale_period(2025) == (date(2024, 5, 1), date(2025, 4, 30))
    assert STATES["washington"].period(2024) == (date(2023, 5, 1), date(2024, 4, 30)), "in a leap year too"


@pytest.mark.parametrize(("price", "adjusted"), [("200000", "198000.00"), ("199999.99", "197999.99"), ("0.50", "0.50")])
def test_one_percent_is_deducted_to_the_cent(price: str, adjusted: str) -> None:
    """WAC 458-53-070(3): 199,999.99 less 1 % is 197,999.9901, and 0.50 less 1 % is 0.495."""
    assert adjusted_price(Decimal(price)) == Decimal(adjusted)


def test_the_ratio_is_that_of_the_codes_own_example() -> None:
    """WAC 458-53-160(5): ratios .773, .528, .885; indicated values 27,813,713 and so on; the county's is 73.9 %.

    (The code prints their sum as 127,871,499; its three lines add up to 127,871,494. The ratio is the same.)
    """
    samples = [
        StratumSample(Decimal(17_000), Decimal(22_000), Decimal(21_500_000)),
        StratumSample(Decimal(124_000), Decimal(235_000), Decimal(23_000_000)),
        StratumSample(Decimal(850_000), Decimal(960_000), Decimal(50_000_000)),
    ]
    ratios = [stratum_ratio(sample) for sample in samples]
    assert ratios == [Decimal("0.773"), Decimal("0.528"), Decimal("0.885")]
    indicated = [round(sample.roll_value / ratio) for sample, ratio in zip(samples, ratios, strict=True) if ratio]
    assert indicated == [27_813_713, 43_560_606, 56_497_175]
    assert indicated_ratio(samples) == Decimal("73.9")


def test_a_stratum_with_value_and_without_sales_leaves_no_ratio() -> None:
    """The department adds appraisals there (WAC 458-53-070(1)); a stratum without value on the roll needs none."""
    sample = StratumSample(Decimal(90), Decimal(100), Decimal(1_000))
    assert indicated_ratio([sample, StratumSample(None, None, Decimal(5))]) is None
    assert indicated_ratio([sample, StratumSample(None, None, Decimal(0))]) == Decimal("90.0")
    assert indicated_ratio([]) is None


def test_both_limits_of_a_stratum_are_in_it() -> None:
    strata = (
        WashingtonStratum(name="low", land_use_codes=("11",), max_value=Decimal(74_999)),
        WashingtonStratum(name="high", land_use_codes=("11", "12"), min_value=Decimal(75_000)),
    )
    found = [strata_of(strata, "11", Decimal(value)) for value in ("0", "74999", "74999.50", "75000")]
    assert found == [["low"], ["low"], [], ["high"]]
    assert strata_of(strata, "52", Decimal(1)) == []


def test_a_county_names_its_strata_and_instruments() -> None:
    with pytest.raises(ValueError, match="strata"):
        WashingtonSettings.model_validate({"state": "washington", "strata": [], "instruments": ["WD"]})
