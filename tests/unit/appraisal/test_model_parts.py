"""The parts of a model: the neighborhood features of a sale, the trees' loss, and the reconciliation."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.boosting import _relative_error
from shared.appraisal.avm.holdout import FORWARD, OUT_OF_FOLD, HeldOut, error_growth
from shared.appraisal.avm.local_regression import fit_locally
from shared.appraisal.avm.neighborhood_features import OF_PRICE, NeighborhoodFeatures
from shared.appraisal.avm.reconciliation import best_weights, fit_reconciliation
from shared.appraisal.avm.results import Fold
from shared.appraisal.ratio_statistics import prb

NAMES = ("residual", "log price per area", "size", "always the same")
EVEN = np.array([0.5, 0.5])


def _neighborhood_features(position: FloatArray, seed: int) -> NeighborhoodFeatures:
    measures = np.random.default_rng(seed).normal(size=(len(position), len(NAMES)))
    measures[:, 3] = 2.0
    return NeighborhoodFeatures(position, measures, NAMES)


def test_a_sales_own_prices_are_not_in_its_neighborhood_features() -> None:
    position = np.repeat(np.random.default_rng(1).uniform(0, 3, (40, 2)), 8, axis=0)
    features = _neighborhood_features(position, 1)
    around = features.around_sales()
    assert around.shape == (320, len(features.columns))
    for row in (0, 17, 319):
        changed = features.measures.copy()
        changed[row, :OF_PRICE] += 1000
        again = NeighborhoodFeatures(position, changed, NAMES).around_sales()
        assert np.array_equal(again[row], around[row])
        assert not np.array_equal(again, around)


def test_a_property_where_a_sale_was_has_the_neighborhood_features_of_the_others() -> None:
    position = np.random.default_rng(2).uniform(0, 3, (300, 2))
    features = _neighborhood_features(position, 2)
    others = NeighborhoodFeatures(position[1:], features.measures[1:], NAMES)
    predicted = others.around(position[:1], features.measures[:1, OF_PRICE:])
    # The deviations that traits are counted in are those of all sales.
    assert predicted == pytest.approx(features.around_sales()[:1], abs=0.02)


def test_an_unknown_trait_counts_as_the_usual_one() -> None:
    features = _neighborhood_features(np.random.default_rng(3).uniform(0, 3, (200, 2)), 3)
    typical = np.median(features.measures[:, OF_PRICE:], axis=0, keepdims=True)
    position = np.ones((1, 2))
    assert np.array_equal(features.around(position, np.full((1, 2), np.nan)), features.around(position, typical))


def test_a_local_regression_finds_what_a_trait_is_worth_there() -> None:
    generator = np.random.default_rng(4)
    distance = np.sort(generator.uniform(0, 1, (3, 150)), axis=1)
    difference = generator.normal(size=(3, 150, 2))
    residual = np.array([[0.3], [0.0], [-0.3]]) + 0.2 * difference[:, :, 0]
    constant, of_first, of_second = fit_locally(distance, difference, residual).T
    assert constant == pytest.approx([0.3, 0.0, -0.3], abs=0.03)
    # Drawn to none, yet most of it.
    assert ((of_first > 0.14) & (of_first < 0.2)).all()
    assert of_second == pytest.approx(0, abs=0.02)


def test_one_sale_alone_says_little() -> None:
    (predicted,) = fit_locally(np.zeros((1, 1)), np.zeros((1, 1, 2)), np.full((1, 1), 0.6))
    assert predicted == pytest.approx([0.4, 0, 0])


@given(st.integers(0, 10_000), st.floats(0.8, 1.0))
@settings(max_examples=15)
def test_the_reconciliation_prefers_the_better_model_and_takes_out_level_and_price_bias(
    seed: int, drawn_in: float
) -> None:
    generator = np.random.default_rng(seed)
    price = generator.normal(12.5, 0.5, 2000)
    good = 12.5 + drawn_in * (price - 12.5) + 0.1 + generator.normal(0, 0.08, 2000)
    poor = price + generator.normal(0, 0.4, 2000)
    predicted = np.column_stack([poor, good])
    result = fit_reconciliation(predicted, price, best_weights(predicted, price, EVEN))
    assert result.weights[1] >= 0.9
    value, paid = np.exp(result.reconcile(predicted)), np.exp(price)
    assert np.median(value / paid) == pytest.approx(1, abs=0.005)
    assert abs(prb(value, paid)) <= max(0.011, 1.01 * abs(prb(np.exp(good), paid)))


def test_few_sales_do_not_tell_models_apart_and_leave_the_usual_weights() -> None:
    """Of two models that err alike sixty sales would prefer one by chance; of a bad one they tell."""
    generator = np.random.default_rng(5)
    away = []
    for _ in range(20):
        price = generator.normal(12.5, 0.5, 60)
        in_common = price + generator.normal(0, 0.15, 60)
        alike = in_common[:, None] + generator.normal(0, 0.05, (60, 2))
        away.append(abs(best_weights(alike, price, EVEN)[0] - 0.5))
        bad = price + generator.normal(0, 1.0, 60)
        assert best_weights(np.column_stack([alike[:, 0], bad]), price, EVEN)[0] >= 0.9
    assert np.mean(away) < 0.1


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


@pytest.mark.parametrize(("growth_per_year", "low", "high"), [(0.0, 0.0, 0.03), (0.4, 0.25, 0.55), (-0.4, 0.0, 0.0)])
def test_the_growth_of_errors_with_a_model_s_age_is_measured_on_its_hold_out(
    growth_per_year: float, low: float, high: float
) -> None:
    random = np.random.default_rng(4)
    folds = (Fold(738_000, 738_099, 1000, 800), Fold(738_100, 738_199, 1800, 800))
    day = np.concatenate([random.integers(fold.valuation_day, fold.tested_to + 1, 800) for fold in folds])
    age = day - np.repeat([fold.valuation_day for fold in folds], 800)
    size = 0.11 + growth_per_year * (age - 50) / 365.2425
    error = size * random.choice([-1.0, 1.0], day.size) * random.uniform(0.7, 1.3, day.size)
    nothing = np.zeros(day.size)
    held = HeldOut(FORWARD, folds, np.arange(day.size), nothing[:, None], nothing, error, nothing[:, None])
    assert low <= error_growth(held, day) <= high
    assert error_growth(replace(held, protocol=OUT_OF_FOLD), day) == 0.0
