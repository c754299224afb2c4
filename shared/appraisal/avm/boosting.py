"""Gradient-boosted trees (XGBoost) on what the regression leaves of log price.

The trees learn the difference of log price to the regression's value, so that where they have seen nothing the
regression's value stands. Their loss is the error as a share of the price, which is what the COD and the
mean absolute percentage error count: to value a home at twice its price is then worse than at half of it. Two sets of
trees are grown from different random draws of sales and predictors, and their mean is taken: that halves what is
chance in one draw. Stored in XGBoost's own UBJSON, which holds numbers and no code.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.parameters import (
    BOOSTING_DRAWS,
    BOOSTING_FOLDS,
    BOOSTING_ROUNDS,
    COLUMN_SAMPLE,
    HISTOGRAM_BINS,
    MIN_CHILD_WEIGHT,
    SALES_PER_BIN,
    SALES_PER_ROUND,
    SUBSAMPLE,
    TOTAL_LEARNING_RATE,
    TREE_DEPTH,
    TREE_L2,
)
from shared.appraisal.avm.relative_error import slope_and_curvature

if TYPE_CHECKING:
    from xgboost import Booster, DMatrix

_THREADS = 2
_PARAMETERS = {
    "tree_method": "hist",
    "base_score": 0.0,
    "max_depth": TREE_DEPTH,
    "min_child_weight": MIN_CHILD_WEIGHT,
    "subsample": SUBSAMPLE,
    "colsample_bytree": COLUMN_SAMPLE,
    "lambda": TREE_L2,
    # Several fits run side by side instead: threads that wait for each other in every round lose more than they gain.
    "nthread": 1,
}


@dataclass(frozen=True)
class BoostedTrees:
    """Fitted trees: one booster a draw, as XGBoost stores it (bytes as an array of shape (size,))."""

    stored: tuple[NDArray[np.uint8], ...]

    def predict(self, matrix: FloatArray) -> FloatArray:
        """The trees' addition to the regression's log value; shape (n,)."""
        if not len(matrix):
            return np.zeros(0)
        data = _data(matrix)
        predicted = [booster.predict(data) for booster in self._boosters]
        return np.asarray(np.mean(predicted, axis=0, dtype=np.float64))

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """The same by column, and a last column for what is common to all; shape (n, columns + 1).

        Each split on a property's path gives its change of the mean to the column split on (Saabas 2014). That is
        exact in its sum and takes the time of a prediction; Shapley values take some fifty times as long.
        """
        if not len(matrix):
            return np.zeros((0, matrix.shape[1] + 1))
        data = _data(matrix)
        parts = [booster.predict(data, pred_contribs=True, approx_contribs=True) for booster in self._boosters]
        return np.asarray(np.mean(parts, axis=0, dtype=np.float64))

    @cached_property
    def common(self) -> float:
        """The trees' addition to every property: the last column of `contributions`."""
        nothing = np.full((1, self._boosters[0].num_features()), np.nan)
        return float(self.contributions(nothing)[0, -1])

    @cached_property
    def _boosters(self) -> list[Booster]:
        return [_booster(stored) for stored in self.stored]


def fit_trees(matrix: FloatArray, target: FloatArray, seed: int, draws: int = BOOSTING_DRAWS) -> BoostedTrees:
    """Fit to predictors (n, columns) and what is left of log price (n,). The same input gives the same trees."""
    import xgboost

    # Few sales bear neither many small steps nor fine bins: those cost time and say nothing.
    bins = int(np.clip(target.size / SALES_PER_BIN, *HISTOGRAM_BINS))
    rounds = int(np.clip(target.size / SALES_PER_ROUND, *BOOSTING_ROUNDS))
    parameters = {**_PARAMETERS, "eta": TOTAL_LEARNING_RATE / rounds, "max_bin": bins}
    data = _data(matrix, target)
    seeds = range(seed * BOOSTING_DRAWS, seed * BOOSTING_DRAWS + draws)
    boosters = [xgboost.train({**parameters, "seed": draw}, data, rounds, obj=_relative_error) for draw in seeds]
    return BoostedTrees(tuple(np.frombuffer(booster.save_raw("ubj"), dtype=np.uint8) for booster in boosters))


def fit_trees_and_folds(matrix: FloatArray, target: FloatArray, seed: int) -> tuple[BoostedTrees, FloatArray]:
    """The trees, and out-of-fold predictions by trees fitted to the three other quarters of the rows; shape (n,)."""
    fold = np.random.default_rng(seed + 1).permutation(target.size) % BOOSTING_FOLDS
    parts = [np.ones(target.size, dtype=np.bool_), *(fold != number for number in range(BOOSTING_FOLDS))]
    with ThreadPoolExecutor(_THREADS) as pool:
        # One draw a fold is enough to weigh the trees by and find their level, and takes half of the time.
        whole, *folds = pool.map(
            lambda rows: fit_trees(matrix[rows], target[rows], seed, BOOSTING_DRAWS if rows.all() else 1), parts
        )
    predicted = np.zeros(target.size)
    for number, trees in enumerate(folds):
        predicted[fold == number] = trees.predict(matrix[fold == number])
    return whole, predicted


def _relative_error(predicted: NDArray[np.float32], data: DMatrix) -> tuple[FloatArray, FloatArray]:
    return slope_and_curvature(predicted.astype(np.float64) - data.get_label())


def _booster(stored: NDArray[np.uint8]) -> Booster:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(stored.tobytes()))
    return booster


def _data(matrix: FloatArray, target: FloatArray | None = None) -> DMatrix:
    import xgboost

    return xgboost.DMatrix(matrix, label=target, nthread=1)
