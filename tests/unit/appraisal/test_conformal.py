"""Prediction intervals hold what they say, also where there are few errors to learn them from."""

import numpy as np
import pytest

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.ensemble import OutOfFold
from shared.appraisal.avm.holdout import FORWARD, OUT_OF_FOLD, HeldOut
from shared.appraisal.avm.training import _errors
from shared.appraisal.conformal import ErrorModel, fit_errors


def drawn(size: int, seed: int, columns: int = 8) -> tuple[FloatArray, FloatArray]:
    """Errors that grow with the first column of difficulty; the others tell nothing."""
    generator = np.random.default_rng(seed)
    difficulty = generator.exponential(1.0, (size, columns))
    return generator.normal(0, 0.05, size) * (1 + difficulty[:, 0]), difficulty


def covered(model: ErrorModel, errors: FloatArray, difficulty: FloatArray) -> float:
    low, high = np.log(model.bounds(difficulty))
    return float(((low <= errors) & (errors <= high)).mean())


@pytest.mark.parametrize("size", [40, 100, 2000])
def test_intervals_hold_their_share_of_new_errors(size: int) -> None:
    new = drawn(4000, 0)
    shares = [covered(fit_errors(*drawn(size, seed)), *new) for seed in range(1, 60)]
    assert np.mean(shares) == pytest.approx(0.8, abs=0.025)


def test_difficult_values_have_wider_intervals() -> None:
    model = fit_errors(*drawn(3000, 1))
    easy, difficult = np.zeros((1, 8)), np.array([[3.0, *[0.0] * 7]])
    widths = [float(np.log(high / low)[0]) for low, high in (model.bounds(easy), model.bounds(difficult))]
    assert 2.5 < widths[1] / widths[0] < 5


def out_of_fold(size: int) -> OutOfFold:
    errors, difficulty = drawn(size, 2, 2)
    return OutOfFold(np.arange(size), np.zeros((size, 4)), np.zeros(size), errors, difficulty)


def held_out(size: int, protocol: str, larger: float) -> HeldOut:
    errors, difficulty = drawn(size, 3, 2)
    return HeldOut(protocol, (), np.arange(size), np.zeros((size, 4)), np.zeros(size), larger * errors, difficulty)


def width(model: ErrorModel) -> float:
    low, high = model.bounds(np.ones((1, 2)))
    return float(np.log(high / low)[0])


def test_out_of_fold_errors_are_inflated_to_those_of_later_sales() -> None:
    """Few held-out sales err twice as much as out-of-fold ones: out-of-fold errors alone would promise too much."""
    alone = width(fit_errors(*drawn(300, 2, 2)))
    few, more = (width(_errors(held_out(size, FORWARD, 2.0), out_of_fold(300))) for size in (20, 95))
    assert alone * 1.15 < few < more < 2 * alone
    assert width(_errors(held_out(60, OUT_OF_FOLD, 1.0), out_of_fold(300))) == pytest.approx(1.15 * alone, rel=0.01)


def test_held_out_errors_speak_for_themselves_where_there_are_enough() -> None:
    errors, difficulty = drawn(100, 3, 2)
    assert width(_errors(held_out(100, FORWARD, 2.0), out_of_fold(300))) == width(fit_errors(2.0 * errors, difficulty))
