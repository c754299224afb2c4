"""The regression, and what it says of the sales that it was fitted on as if it had not seen them."""

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Sales
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.hedonic import HedonicModel, fit_hedonic
from tests.integration.avm.known_counties import FEW, ON_LAST, wordy_county


def value_of(hedonic: HedonicModel, sales: Sales) -> FloatArray:
    day = sales.sale_day.astype(np.float64)
    parts, _ = hedonic.contributions(sales.characteristics, day)
    return np.asarray(hedonic.constant + hedonic.trend.level(day) + parts.sum(axis=1))


def test_what_a_sale_adds_to_its_own_value_is_what_a_fit_without_it_lacks() -> None:
    sales = wordy_county().sales.take(FEW)
    hedonic = fit_hedonic(sales, ON_LAST)
    own = hedonic.leave_one_out(sales).own()
    influence, seen = np.zeros(15), np.zeros(15)
    for row in range(15):
        without = fit_hedonic(sales.take(np.delete(FEW, row)), ON_LAST)
        influence[row] = np.log(sales.sale_price[row]) - value_of(without, sales.take(np.array([row])))[0]
        seen[row] = hedonic.residual[row] + own[row].sum()
    assert np.corrcoef(influence, seen)[0, 1] > 0.95
    assert np.abs(seen).mean() > 0.8 * np.abs(influence).mean()
    assert np.abs(hedonic.residual[:15]).mean() < 0.6 * np.abs(influence).mean()


def test_leave_one_out_comparables_err_as_those_of_a_model_made_without_the_sale() -> None:
    sales = wordy_county().sales.take(FEW)
    model = fit_comparables(sales, ON_LAST)
    carried = sales.sale_price * model.hedonic.trend.factor(sales.sale_day.astype(np.float64))
    influence = np.log(cross_values(sales, model, folds=20) / carried)
    seen = np.log(model.leave_one_out(FEW, model.hedonic.leave_one_out(sales)).estimate / carried)
    assert np.corrcoef(influence, seen)[0, 1] > 0.95
    assert np.abs(seen).mean() > 0.8 * np.abs(influence).mean()
