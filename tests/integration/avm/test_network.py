"""The neural network: its gradients, what it makes of properties, and the contributions to what it says."""

import numpy as np
import pytest

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.network import Network, fit_network_and_folds, gradients
from shared.appraisal.avm.network_inputs import PiecewiseLinearEncoding, SingleArray, _piecewise_linear
from shared.appraisal.avm.parameters import NETWORK_MEMBERS
from shared.appraisal.avm.relative_error import slope_and_curvature
from tests.integration.avm.known_counties import KNOWN

SALES = 400


def _inputs(seed: int, size: int = SALES) -> SingleArray:
    return np.random.default_rng(seed).normal(size=(size, 5)).astype(np.float32)


def _curved(inputs: SingleArray) -> FloatArray:
    """A log price that no sum of the inputs' effects gives."""
    seen = inputs.astype(np.float64)
    return np.asarray(12.0 + 0.3 * seen[:, 0] + 0.3 * np.abs(seen[:, 1] * seen[:, 2]))


def _loss(predicted: FloatArray) -> FloatArray:
    return np.asarray(0.1**2 * (np.sqrt(1 + (np.expm1(predicted) / 0.1) ** 2) - 1))


def test_the_loss_is_the_error_as_a_share_of_the_price() -> None:
    difference = np.linspace(-0.9, 0.9, 37)
    slope, curvature = slope_and_curvature(difference)
    assert slope == pytest.approx((_loss(difference + 1e-6) - _loss(difference - 1e-6)) / 2e-6, abs=1e-6)
    assert (curvature > 0).all()


def test_the_gradients_are_those_of_finite_differences() -> None:
    generator = np.random.default_rng(1)
    shapes = [(5, 7), (7,), (7, 7), (7,), (7, 1), (1,)]
    # In double precision, so that differences tell.
    layers = [generator.normal(0, 0.5, shape) for shape in shapes]
    inputs, target = generator.normal(size=(30, 5)), generator.normal(0, 0.3, 30)
    kept = [(generator.random((30, 7)) < 0.8) / 0.8 for _ in range(2)]

    def mean_loss() -> float:
        first = np.maximum(inputs @ layers[0] + layers[1], 0) * kept[0]
        second = np.maximum(first @ layers[2] + layers[3], 0) * kept[1]
        error = 0.5 * (second @ layers[4] + layers[5])[:, 0] - target
        # Errors beyond a factor of e count on with the slope that they have there.
        beyond = np.abs(error) - np.minimum(np.abs(error), 1)
        edge = slope_and_curvature(np.sign(error))[0]
        return float(np.mean(_loss(np.clip(error, -1, 1)) + np.abs(edge) * beyond)) / 0.5

    computed = gradients(layers, inputs, target, 0.5, kept)  # type: ignore[arg-type]
    for layer, gradient in zip(layers, computed, strict=True):
        for index in list(np.ndindex(layer.shape))[:12]:
            before, sides = layer[index], []
            for step in (1e-6, -1e-6):
                layer[index] = before + step
                sides.append(mean_loss())
            layer[index] = before
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-3, abs=1e-5)


@pytest.fixture(scope="module")
def network() -> Network:
    return fit_network_and_folds(_inputs(2, 4000), _curved(_inputs(2, 4000)), seed=0)[0]


def test_it_learns_an_interaction_that_no_sum_of_effects_gives(network: Network) -> None:
    seen, truth = _inputs(3), _curved(_inputs(3))
    assert np.mean(np.abs(network.predict(seen) - truth)) < 0.25 * np.mean(np.abs(truth - truth.mean()))


def test_its_contributions_add_up_and_go_to_the_inputs_that_matter(network: Network) -> None:
    seen = _inputs(4)
    parts = network.contributions(seen)
    assert parts.sum(axis=1) + network.common == pytest.approx(network.predict(seen), abs=1e-9)
    size = np.abs(parts).mean(axis=0)
    assert size[:3].min() > 3 * size[3:].max()
    assert np.array_equal(network.contributions(np.zeros((1, 5), dtype=np.float32)), np.zeros((1, 5)))
    assert network.contributions(seen[:0]).shape == (0, 5)
    assert network.predict(seen[:0]).shape == (0,)


def test_the_same_sales_and_seed_give_the_same_network() -> None:
    inputs, price = _inputs(5), _curved(_inputs(5))
    first, again, other = (fit_network_and_folds(inputs, price, seed)[0].predict(inputs) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_out_of_fold_prediction_has_nothing_of_the_sales_price() -> None:
    inputs, price = _inputs(6), _curved(_inputs(6))
    network, predicted = fit_network_and_folds(inputs, price, seed=0)
    assert len(network.members) == NETWORK_MEMBERS
    fold = np.random.default_rng(2).permutation(SALES) % NETWORK_MEMBERS
    first, second = np.flatnonzero(fold == 0)[:2]
    exchanged = price.copy()
    # The level and the spread of all prices stay.
    exchanged[[first, second]] = price[[second, first]]
    again = fit_network_and_folds(inputs, exchanged, seed=0)[1]
    assert again[fold == 0] == pytest.approx(predicted[fold == 0], abs=1e-3)
    assert np.abs(again - predicted).max() > 1e-3


def test_twelve_sales_give_a_network_that_predicts_their_prices() -> None:
    _, predicted = fit_network_and_folds(_inputs(7, 12), np.linspace(12, 13, 12), seed=0)
    assert np.isfinite(predicted).all()
    assert ((predicted > 10) & (predicted < 15)).all()


def test_a_number_fills_the_bins_below_it_and_an_unknown_one_says_nothing() -> None:
    value = np.arange(320.0)
    binned = _piecewise_linear(0, "age", value)
    assert binned.size == 32
    encoded = binned.encode(np.array([-50.0, 0.0, 5.0, 319.0, 999.0, np.nan]))
    assert np.array_equal(encoded[0], encoded[1])
    assert np.array_equal(encoded[3], encoded[4])
    assert ((encoded[2] > encoded[1]) == (np.arange(32) < 1)).all()
    assert np.array_equal(encoded[5], np.zeros(32))
    assert binned.encode(value).mean(axis=0) == pytest.approx(0, abs=1e-9)


def test_a_number_that_most_sales_lack_has_an_input_for_that() -> None:
    value = np.where(np.arange(1000) % 10 == 0, np.arange(1000.0), np.nan)
    binned = _piecewise_linear(0, "view", value)
    assert binned.size == 33
    assert binned.encode(value)[:2, -1] == pytest.approx([-0.9, 0.1])


@pytest.mark.parametrize("value", [np.full(100, 3.0), np.full(100, np.nan), np.array([2.0])])
def test_a_number_that_never_varies_is_no_number(value: FloatArray) -> None:
    binned: PiecewiseLinearEncoding = _piecewise_linear(0, "age", value)
    assert binned.mean.size == 0
    assert np.isfinite(binned.encode(np.array([1.0, np.nan]))).all()


def test_a_code_that_was_never_seen_has_a_value(model: TrainedModel) -> None:
    ensemble = model.ensemble
    coded = ensemble.network_inputs.coded
    assert all(part.encode(KNOWN.take(np.arange(3))).shape == (3, part.size) for part in coded)
    assert len(ensemble.network_inputs.groups) == ensemble.network.members[0][0].shape[0]
