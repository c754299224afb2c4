"""Carrying prices through time."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal import market_index
from shared.appraisal.columns import Sales
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.market_index import fit_market
from shared.appraisal.parameters import DAYS_PER_YEAR, MAX_LOG_CHANGE_PER_YEAR
from shared.appraisal.time_trend import fit_time_trend, month_numbers
from tests.synthetic_county import ANNUAL_TREND, LAST_DAY, synthetic_county

START = date(2020, 1, 1).toordinal()


def planted(annual: float, seed: int = 1, years: float = 3.0, size: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    day = START + np.floor(generator.random(size) * years * DAYS_PER_YEAR)
    return day, 12.0 + annual * (day - START) / DAYS_PER_YEAR + generator.normal(0, 0.2, size)


@given(st.floats(-0.15, 0.2), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_planted_trend_is_found_within_its_standard_error(annual: float, seed: int) -> None:
    day, log_price = planted(annual, seed)
    trend = fit_time_trend(day, log_price, int(day.max()) + 1)
    early = np.array([START + 100.0])
    years = (trend.valuation_day - early) / DAYS_PER_YEAR
    assert abs(trend.log_factor(early) - annual * years)[0] < 5 * trend.standard_error(early)[0] + 0.01


def test_a_turning_market_is_followed() -> None:
    day, _ = planted(0.0, size=4000)
    years = (day - START) / DAYS_PER_YEAR
    curve = np.where(years < 1.5, 0.2 * years, 0.3 - 0.15 * (years - 1.5))
    noise = np.random.default_rng(2).normal(0, 0.15, len(day))
    trend = fit_time_trend(day, 12 + curve + noise, int(day.max()) + 1)
    assert trend.level([START + 1.5 * DAYS_PER_YEAR])[0] - trend.level([START + 5.0])[0] == pytest.approx(0.3, abs=0.04)
    assert trend.log_factor([START + 1.5 * DAYS_PER_YEAR])[0] == pytest.approx(-0.225, abs=0.04)


SEASON_LOG = 0.04


def in_season(day: np.ndarray) -> np.ndarray:
    """Dearest at the end of June."""
    return -SEASON_LOG * np.cos(2 * np.pi * (day - START) / DAYS_PER_YEAR)


@given(st.floats(-0.1, 0.15), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_season_is_told_from_the_trend_and_comes_again(annual: float, seed: int) -> None:
    # to the end of a June: the rise of the spring is no trend
    day, log_price = planted(annual, seed, years=3.5, size=4000)
    trend = fit_time_trend(day, log_price + in_season(day), int(day.max()) + 1)
    ahead = np.array([60.0, 120.0, 180.0, 240.0]) + trend.last_day
    expected = (
        annual * (ahead - trend.last_day) / DAYS_PER_YEAR + in_season(ahead) - in_season(np.array(trend.last_day))
    )
    season = trend.level(ahead) - trend.level([trend.last_day])
    assert np.abs(season - expected).max() < 0.035


@pytest.mark.parametrize("years", [1.9, 3.0])
def test_where_there_is_no_season_none_is_found(years: float) -> None:
    day, log_price = planted(0.05, years=years, size=3000)
    trend = fit_time_trend(day, log_price, int(day.max()) + 1)
    year = trend.level(trend.last_day - np.arange(0.0, 360.0, 30.0))
    assert np.ptp(year - 0.05 * np.arange(0.0, -360.0, -30.0) / DAYS_PER_YEAR) < 0.03  # noise leaves a wave 0.005


def test_of_less_than_two_years_a_season_cannot_be_told() -> None:
    day, log_price = planted(0.0, years=1.5, size=4000)
    trend = fit_time_trend(day, log_price + in_season(day), int(day.max()) + 1)
    assert trend.coefficients.size == 1 + trend.knots.size


def test_sales_of_one_month_a_year_tell_a_trend_and_no_season() -> None:
    day, log_price = planted(0.06, years=4.0, size=6000)
    may = month_numbers(day) % 12 == 4
    trend = fit_time_trend(day[may], log_price[may], int(day[may].max()) + 1)
    assert trend.annual_change == pytest.approx(np.expm1(0.06), abs=0.02)
    assert abs(trend.level([trend.last_day + 180.0])[0] - trend.level([trend.last_day])[0] - 0.03) < 0.03


def test_a_few_wild_prices_do_not_move_the_trend() -> None:
    day, log_price = planted(0.05)
    wild = log_price.copy()
    wild[np.argsort(day)[750::20]] += 3.0
    on = int(day.max()) + 1
    honest, shaken = fit_time_trend(day, log_price, on), fit_time_trend(day, wild, on)
    assert shaken.log_factor([START + 10.0])[0] == pytest.approx(honest.log_factor([START + 10.0])[0], abs=0.08)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_sales_on_or_after_the_valuation_day_change_nothing(seed: int) -> None:
    day, log_price = planted(0.05, seed)
    on = START + 700
    changed = np.where(day >= on, log_price + 5.0, log_price)
    known, later = fit_time_trend(day, log_price, on), fit_time_trend(day, changed, on)
    assert np.array_equal(known.coefficients, later.coefficients)
    assert known.last_day < on


def test_beyond_the_last_sale_the_trend_is_bounded_and_its_error_grows() -> None:
    day, log_price = planted(1.5, years=0.5)
    trend = fit_time_trend(day, log_price, int(day.max()) + 300)
    last = float(trend.last_day)
    steps = trend.level([last + 100, last + 200, last + 300]) - trend.level([last])[0]
    assert (np.abs(steps) <= MAX_LOG_CHANGE_PER_YEAR * np.array([100, 200, 300]) / DAYS_PER_YEAR + 1e-12).all()
    errors = [trend.standard_error([last], int(last) + days)[0] for days in (0, 100, 200, 300)]
    assert errors == sorted(errors)
    assert errors[0] == 0.0
    with pytest.raises(AppraisalInputError, match="more than a year"):
        trend.level([last + 500])


@pytest.mark.parametrize(
    ("days", "on", "error"),
    [
        (np.arange(29.0), 40, InsufficientSalesError),
        (np.full(50, 7.0), 40, AppraisalInputError),
        (np.arange(50.0), 500, AppraisalInputError),
    ],
    ids=["too few", "one day", "too late"],
)
def test_no_trend_is_made_up(days: np.ndarray, on: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        fit_time_trend(START + days, np.zeros(len(days)), START + on)


def test_months_are_counted_from_the_calendar() -> None:
    days = np.array([date(2014, 5, 1).toordinal(), date(2014, 5, 31).toordinal(), date(2015, 1, 1).toordinal()])
    assert list(month_numbers(days)) == [2014 * 12 + 4, 2014 * 12 + 4, 2015 * 12]


def test_the_index_follows_the_planted_trend_whatever_was_sold() -> None:
    county = synthetic_county(3000, noise=0.05)
    sales = county.sales
    # In the second year mostly large homes sell: the mean price rises, the constant-quality index does not follow.
    large = sales.characteristics.living_area_sqft > 1900
    late = sales.sale_day > sales.sale_day[len(sales) // 2]
    kept = sales.take(large | ~late)
    index = fit_market(kept).index()
    assert (index.index[0], index.standard_error[0]) == (100.0, 0.0)
    expected = 100 * np.exp(ANNUAL_TREND * (index.month[-1] - index.month[0]) / 12)
    assert index.index[-1] == pytest.approx(expected, abs=4 * index.standard_error[-1])
    assert 0.3 < index.standard_error[-1] < 3.0


def test_months_with_few_sales_have_no_index() -> None:
    sales = synthetic_county(400).sales
    month = month_numbers(sales.sale_day)
    thin = np.flatnonzero(month == month[200])[4:]
    kept = sales.take(np.setdiff1d(np.arange(len(sales)), thin))
    index = fit_market(kept).index()
    assert month[200] not in index.month
    with pytest.raises(InsufficientSalesError):
        fit_market(kept.take(np.arange(20))).index()


def test_the_index_covers_a_known_market_as_often_as_its_errors_say() -> None:
    covered, slopes = [], []
    for seed in range(40):
        index = fit_market(synthetic_county(600, seed=seed).sales).index()
        truth = 100 * np.exp(ANNUAL_TREND * (index.month - index.month[0]) / 12)
        covered.append(np.abs(index.index - truth)[[6, 12, -1]] <= 1.96 * index.standard_error[[6, 12, -1]])
        change, error = index.annual_change()
        slopes.append(abs(change - ANNUAL_TREND) <= 1.96 * error)
    assert 0.87 <= np.mean(covered) <= 0.995
    assert np.mean(slopes) >= 0.8


def test_the_markets_trend_carries_prices_as_the_index_does_and_refuses_sales_after_the_day() -> None:
    sales = synthetic_county(2000).sales
    on = date(2023, 7, 1).toordinal()
    later = sales.sale_day >= on
    trend = fit_market(sales.take(~later)).trend(on)
    year_before = np.array([on - DAYS_PER_YEAR])
    assert trend.log_factor(year_before)[0] == pytest.approx(ANNUAL_TREND, abs=4 * trend.standard_error(year_before)[0])
    with pytest.raises(AppraisalInputError, match="not after every sale"):
        fit_market(sales).trend(on)


def test_equal_prices_are_a_still_market_without_error() -> None:
    county = synthetic_county(400).sales
    index = fit_market(Sales(county.characteristics, county.sale_day, np.full(len(county), 250_000.0))).index()
    assert np.allclose(index.index, 100.0)
    assert np.allclose(index.standard_error, 0.0, atol=1e-6)
    assert np.allclose(index.annual_change(), (0.0, 0.0), atol=1e-6)


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_an_index_of_impossible_prices_is_refused(price: float) -> None:
    county = synthetic_county(100).sales
    prices = county.sale_price.copy()
    prices[7] = price
    with pytest.raises(AppraisalInputError, match="sale_price"):
        fit_market(Sales(county.characteristics, county.sale_day, prices)).index()


def test_a_market_fitted_block_by_block_is_the_one_fitted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sales = synthetic_county(500).sales
    whole = fit_market(sales)
    monkeypatch.setattr(market_index, "_MAX_CACHED_CELLS", 0)
    monkeypatch.setattr(market_index, "_BLOCK_ROWS", 130)
    parts = fit_market(sales)
    assert np.allclose(parts.index().index, whole.index().index, rtol=1e-9)
    assert np.allclose(parts.covariance, whole.covariance, rtol=1e-6, atol=1e-12)
    assert np.allclose(parts.trend(LAST_DAY).coefficients, whole.trend(LAST_DAY).coefficients, rtol=1e-6)
