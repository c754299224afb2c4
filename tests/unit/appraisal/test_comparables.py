"""Value by adjusted comparable sales, on a county whose prices are known."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.comparables import ComparableSales, cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.explanation import explain
from shared.appraisal.models import Model
from shared.appraisal.ratio_statistics import cod
from shared.appraisal.similarity import smallest
from tests.synthetic_county import ANNUAL_TREND, LAST_DAY, SIZE_ELASTICITY, synthetic_county

COUNTY = synthetic_county(2000)
ON = date(2023, 7, 1).toordinal()


@pytest.fixture(scope="module")
def model() -> ComparableSales:
    return fit_comparables(COUNTY.sales, ON)


def one(row: int) -> Characteristics:
    return COUNTY.sales.characteristics.take(np.array([row]))


def without(subject: Characteristics, **columns: float | str) -> Characteristics:
    changes: dict[str, Any] = {name: np.array([value]) for name, value in columns.items()}
    return replace(subject, **changes)


def test_it_is_a_model(model: ComparableSales) -> None:
    as_model: Model = model
    assert (as_model.name, as_model.valuation_day) == ("comparable_sales", ON)


def test_later_sales_are_valued_near_their_true_value(model: ComparableSales) -> None:
    later = np.flatnonzero(COUNTY.sales.sale_day >= ON)
    predicted = model.predict(COUNTY.sales.characteristics.take(later))
    truth = COUNTY.truth[later] * np.exp(-ANNUAL_TREND * (COUNTY.sales.sale_day[later] - ON) / 365.2425)
    assert cod(predicted.estimate / truth) < 6
    assert np.median(predicted.estimate / truth) == pytest.approx(1, abs=0.02)


def test_the_interval_holds_about_eight_in_ten_later_sales_and_confidence_is_a_probability(
    model: ComparableSales,
) -> None:
    later = np.flatnonzero(COUNTY.sales.sale_day >= ON)
    predicted = model.predict(COUNTY.sales.characteristics.take(later))
    price = COUNTY.sales.sale_price[later] * np.exp(-ANNUAL_TREND * (COUNTY.sales.sale_day[later] - ON) / 365.2425)
    covered = np.mean((predicted.low <= price) & (price <= predicted.high))
    assert 0.72 <= covered <= 0.88
    within = np.mean(np.abs(price / predicted.estimate - 1) <= 0.1)
    assert predicted.confidence.mean() == pytest.approx(within, abs=0.08)
    assert (predicted.low < predicted.estimate).all()
    assert (predicted.estimate < predicted.high).all()


def test_contributions_add_up_to_the_estimates(model: ComparableSales) -> None:
    predicted = model.predict(COUNTY.sales.characteristics.take(np.arange(300)))
    assert np.allclose(sum(predicted.contributions.values()), predicted.estimate, rtol=1e-9)


@pytest.mark.parametrize("row", [3, 700, 1999])
def test_adjustments_add_up_to_the_adjusted_price_to_the_cent(model: ComparableSales, row: int) -> None:
    explained = explain(model, one(row))
    assert len(explained.comparables) == 15
    for comparable in explained.comparables:
        assert comparable.sale_price + sum(step.amount for step in comparable.adjustments) == comparable.adjusted_price
    reconciled = sum(float(c.adjusted_price) * c.weight for c in explained.comparables)
    assert float(explained.estimate) == pytest.approx(reconciled, rel=1e-4)
    assert explained.low < explained.estimate < explained.high
    assert explained.estimate == explained.estimate.quantize(Decimal("0.01"))


def test_an_adjustment_for_size_is_what_the_market_pays_for_size(model: ComparableSales) -> None:
    row = 500
    larger = without(one(row), living_area_sqft=float(one(row).living_area_sqft[0]) * 1.2)
    grown = model.predict(larger).estimate[0] / model.predict(one(row)).estimate[0]
    assert grown == pytest.approx(1.2**SIZE_ELASTICITY, abs=0.06)


def test_a_view_is_worth_what_the_market_pays_for_it(model: ComparableSales) -> None:
    plain = replace(one(500), numeric={"view": np.array([0.0])})
    viewed = replace(one(500), numeric={"view": np.array([1.0])})
    assert np.log(model.predict(viewed).estimate / model.predict(plain).estimate)[0] == pytest.approx(0.15, abs=0.04)


def test_no_sale_on_or_after_the_valuation_day_is_used(model: ComparableSales) -> None:
    assert (COUNTY.sales.sale_day[model.rows] < ON).all()
    used = [c.row for row in (1, 900, 1990) for c in explain(model, one(row)).comparables]
    assert (COUNTY.sales.sale_day[used] < ON).all()
    later = COUNTY.sales.sale_day >= ON
    changed = Sales(
        COUNTY.sales.characteristics,
        COUNTY.sales.sale_day,
        np.where(later, COUNTY.sales.sale_price * 10, COUNTY.sales.sale_price),
    )
    subject = one(42)
    assert fit_comparables(changed, ON).predict(subject).estimate[0] == model.predict(subject).estimate[0]


def test_a_sale_under_test_is_valued_without_its_own_price(model: ComparableSales) -> None:
    row = 400
    assert COUNTY.sales.sale_day[row] < ON
    absurd = COUNTY.sales.sale_price.copy()
    absurd[row] *= 4
    sales = Sales(COUNTY.sales.characteristics, COUNTY.sales.sale_day, absurd)
    values = cross_values(sales, fit_comparables(sales, ON))
    assert values[row] == pytest.approx(cross_values(COUNTY.sales, model)[row], rel=0.03)
    assert np.isfinite(values).all()


def test_a_subject_without_coordinates_is_valued_by_its_neighborhood_and_flagged(model: ComparableSales) -> None:
    explained = explain(model, without(one(50), longitude=np.nan, latitude=np.nan))
    assert "no_coordinates" in {flag.code for flag in explained.flags}
    assert all(comparable.distance_km is None for comparable in explained.comparables)
    assert float(explained.estimate) == pytest.approx(float(explain(model, one(50)).estimate), rel=0.25)


def test_a_subject_outside_the_area_and_one_with_unknowns_are_flagged(model: ComparableSales) -> None:
    assert "outside_sales_area" in {f.code for f in explain(model, without(one(50), longitude=-120.0)).flags}
    flags = {f.code for f in explain(model, without(one(50), bathrooms=np.nan, quality="99")).flags}
    assert "unknown_bathrooms" in flags
    assert explain(model, one(50)).flags == ()


@pytest.mark.parametrize(
    ("columns", "argument"),
    [
        ({"living_area_sqft": np.nan}, "living_area_sqft"),
        ({"living_area_sqft": 0.0}, "living_area_sqft"),
        ({"longitude": np.nan, "neighborhood": ""}, "longitude"),
        ({"longitude": np.nan, "neighborhood": "nowhere"}, "longitude"),
    ],
)
def test_a_subject_that_cannot_be_compared_is_refused(
    model: ComparableSales, columns: dict[str, float | str], argument: str
) -> None:
    subject = without(one(50), **columns)
    with pytest.raises(AppraisalInputError) as refusal:
        explain(model, subject)
    assert refusal.value.argument == argument
    predicted = model.predict(subject)
    assert np.isnan(predicted.estimate).all()
    assert np.isnan(predicted.confidence).all()


def test_too_few_sales_are_refused_with_both_numbers() -> None:
    few = COUNTY.sales.take(np.arange(30))
    with pytest.raises(InsufficientSalesError) as refusal:
        fit_comparables(few, LAST_DAY)
    assert (refusal.value.found, refusal.value.needed) == (30, 50)


def test_a_county_without_any_coordinates_is_valued_by_neighborhood() -> None:
    unknown = np.full(len(COUNTY.sales), np.nan)
    nowhere = replace(COUNTY.sales.characteristics, longitude=unknown, latitude=unknown)
    model = fit_comparables(Sales(nowhere, COUNTY.sales.sale_day, COUNTY.sales.sale_price), ON)
    later = np.flatnonzero(COUNTY.sales.sale_day >= ON)
    estimate = model.predict(nowhere.take(later)).estimate
    assert cod(estimate / COUNTY.truth[later]) < 12


def test_a_county_with_the_least_that_is_needed_still_gets_a_value() -> None:
    rows = np.arange(0, 1400, 20)
    model = fit_comparables(COUNTY.sales.take(rows), ON)
    estimate = model.predict(one(1500)).estimate[0]
    assert estimate == pytest.approx(COUNTY.truth[1500], rel=0.4)


@given(st.integers(0, 10_000), st.integers(15, 2_500), st.integers(1, 15))
def test_the_smallest_of_a_row_are_those_of_a_whole_sort(seed: int, columns: int, count: int) -> None:
    values = np.random.default_rng(seed).integers(0, 500, (6, columns)).astype(np.float32)
    assert np.array_equal(smallest(values, count), np.argsort(values, axis=1, kind="stable")[:, :count])
