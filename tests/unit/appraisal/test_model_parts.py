"""The parts of a model: the surroundings of a sale, the trees' loss, and the reconciliation."""

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.boosting import _relative_error
from shared.appraisal.avm.reconciliation import fit_reconciliation
from shared.appraisal.avm.surroundings import Surroundings
from shared.appraisal.ratio_statistics import prb


def test_a_sales_own_measures_are_not_in_its_surroundings() -> None:
    generator = np.random.default_rng(1)
    position = np.repeat(generator.uniform(0, 3, (20, 2)), 8, axis=0)
    measures = generator.normal(size=(160, 1))
    around = Surroundings(position, measures, ("measure",)).around_sales()
    for row in (0, 17, 159):
        changed = measures.copy()
        changed[row] += 1000
        again = Surroundings(position, changed, ("measure",)).around_sales()
        assert np.array_equal(again[row], around[row])
        assert not np.array_equal(again, around)


@given(st.integers(0, 10_000), st.floats(0.8, 1.0))
@settings(max_examples=15)
def test_the_reconciliation_prefers_the_better_model_and_takes_out_level_and_price_bias(
    seed: int, drawn_in: float
) -> None:
    generator = np.random.default_rng(seed)
    price = generator.normal(12.5, 0.5, 2000)
    good = 12.5 + drawn_in * (price - 12.5) + 0.1 + generator.normal(0, 0.08, 2000)
    poor = price + generator.normal(0, 0.4, 2000)
    found = fit_reconciliation(np.column_stack([poor, good]), price)
    assert found.weights[1] >= 0.9
    value, paid = np.exp(found.reconcile(np.column_stack([poor, good]))), np.exp(price)
    assert np.median(value / paid) == pytest.approx(1, abs=0.005)
    assert abs(prb(value, paid)) <= max(0.011, 1.01 * abs(prb(np.exp(good), paid)))


def test_the_trees_learn_from_the_error_as_a_share_of_the_price() -> None:
    apart = np.linspace(-0.9, 0.9, 37)

    def loss(log_error: FloatArray) -> FloatArray:
        return np.asarray(0.1**2 * (np.sqrt(1 + (np.expm1(log_error) / 0.1) ** 2) - 1))

    data = xgboost.DMatrix(np.zeros((37, 1)), label=np.zeros(37))
    gradient, curvature = _relative_error(apart.astype(np.float32), data)
    assert gradient == pytest.approx((loss(apart + 1e-5) - loss(apart - 1e-5)) / 2e-5, abs=1e-4)
    assert (curvature > 0).all()
    # Twice the price is a worse error than half of it.
    assert gradient[-1] > -2 * gradient[0]
