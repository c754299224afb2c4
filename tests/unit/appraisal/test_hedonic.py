"""The regression, and what it says of the sales that it was fitted on as if it had not seen them."""

from dataclasses import replace
from functools import cache

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.training import train
from shared.appraisal.columns import Sales
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.hedonic import HedonicModel, fit_hedonic
from tests.synthetic_county import LAST_DAY, County, synthetic_county

ON = LAST_DAY + 1
FEW, LATER = np.arange(120), np.arange(120, 1120)


@cache
def wordy_county() -> County:
    """One that keeps forty attributes of each property, none of which is worth anything."""
    county = synthetic_county(1120, noise=0.15, trend=0.0)
    generator = np.random.default_rng(3)
    shuffled = generator.permutation(1120)
    properties = county.sales.characteristics.take(shuffled)
    numeric = {f"attribute_{number}": generator.normal(0, 1, 1120) for number in range(40)}
    days = np.sort(county.sales.sale_day[shuffled[:120]])
    sales = Sales(
        replace(properties, numeric={**properties.numeric, **numeric}),
        np.concatenate([days, np.full(1000, LAST_DAY)]),
        county.sales.sale_price[shuffled],
    )
    return County(sales, county.truth[shuffled])


def value_of(hedonic: HedonicModel, sales: Sales) -> FloatArray:
    day = sales.sale_day.astype(np.float64)
    parts, _ = hedonic.contributions(sales.characteristics, day)
    return np.asarray(hedonic.constant + hedonic.trend.level(day) + parts.sum(axis=1))


def test_what_a_sale_adds_to_its_own_value_is_what_a_fit_without_it_lacks() -> None:
    sales = wordy_county().sales.take(FEW)
    hedonic = fit_hedonic(sales, ON)
    own = hedonic.without_each(sales).own()
    told, seen = np.zeros(30), np.zeros(30)
    for row in range(30):
        without = fit_hedonic(sales.take(np.delete(FEW, row)), ON)
        told[row] = np.log(sales.sale_price[row]) - value_of(without, sales.take(np.array([row])))[0]
        seen[row] = hedonic.residual[row] + own[row].sum()
    assert np.corrcoef(told, seen)[0, 1] > 0.95
    assert np.abs(seen).mean() > 0.8 * np.abs(told).mean()
    assert np.abs(hedonic.residual[:30]).mean() < 0.6 * np.abs(told).mean()


def test_left_out_comparables_err_as_those_of_a_model_made_without_the_sale() -> None:
    sales = wordy_county().sales.take(FEW)
    model = fit_comparables(sales, ON)
    carried = sales.sale_price * model.hedonic.trend.factor(sales.sale_day.astype(np.float64))
    told = np.log(cross_values(sales, model, folds=40) / carried)
    seen = np.log(model.left_out(FEW, model.hedonic.without_each(sales)).estimate / carried)
    assert np.corrcoef(told, seen)[0, 1] > 0.95
    assert np.abs(seen).mean() > 0.8 * np.abs(told).mean()


def test_few_sales_with_many_attributes_give_intervals_that_hold_what_they_say() -> None:
    sales = wordy_county().sales
    model = train(sales.take(FEW), ON)
    said = model.predict(sales.characteristics.take(LATER))
    price = sales.sale_price[LATER]
    assert 0.7 < ((said.low <= price) & (price <= said.high)).mean() < 0.95
