"""Reconciliation of four values into one: weights, level and spread, fitted to out-of-fold predictions.

The reconciled log value is a weighted mean of the models' log values (weights above zero that sum to 1, those of the
smallest COD, of few sales shrunk to the prior ones), scaled about the typical value and shifted. The shift makes the
median ratio 1. The scale answers vertical inequity: a model that knows only some of what sets prices draws cheap and
dear homes to the middle, which the PRB shows; the least scale is taken that brings the PRB near 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.parameters import (
    MAX_PRB,
    MIN_SALES_TO_SCALE,
    PRIOR_WEIGHT_SALES,
    SHIFT_SHRINKAGE,
    VERTICAL_EQUITY_SCALES,
    WEIGHT_STEPS,
)
from shared.appraisal.ratio_statistics import prb_fit

_SCALES = np.arange(*VERTICAL_EQUITY_SCALES)


@dataclass(frozen=True)
class Reconciliation:
    """log value = middle + shift + vertical_equity_scale * (weights @ log values - middle)."""

    weights: FloatArray
    middle: float
    vertical_equity_scale: float
    shift: float

    def reconcile(self, log_values: FloatArray) -> FloatArray:
        """The log value from the models' log values, shape (n, models); shape (n,)."""
        return self.middle + self.shift + self.vertical_equity_scale * (log_values @ self.weights - self.middle)


def fit_reconciliation(log_values: FloatArray, log_price: FloatArray, weights: FloatArray) -> Reconciliation:
    """From out-of-fold log values (n, models) and log prices (n,) of one day; `weights` as of `best_weights`."""
    blended = log_values @ weights
    middle = float(np.median(blended))
    vertical_equity_scale = (
        _vertical_equity_scale(blended, middle, log_price) if log_price.size >= MIN_SALES_TO_SCALE else 1.0
    )
    shift = float(np.median(log_price - (middle + vertical_equity_scale * (blended - middle))))
    # Of few sales the median is uncertain, and no shift is the better guess.
    return Reconciliation(
        weights, middle, vertical_equity_scale, shift * log_price.size / (log_price.size + SHIFT_SHRINKAGE)
    )


def best_weights(log_values: FloatArray, log_price: FloatArray, prior: FloatArray) -> FloatArray:
    """The weights, in tenths, with which the models' log values (n, models), without NaN, have the smallest COD.

    A hundred sales do not tell four models apart: a set of weights pays for its distance from the `prior`, the less
    the more sales there are.
    """
    price_of_distance = PRIOR_WEIGHT_SALES / log_price.size

    def loss(weights: FloatArray) -> float:
        away = float(((weights - prior) ** 2).sum())
        return _cod(log_values @ weights, log_price) * (1.0 + price_of_distance * away)

    return min(_simplex(prior.size), key=loss)


def _simplex(models: int) -> list[FloatArray]:
    """Every set of weights in tenths that sums to 1."""
    tenths = (shares for shares in product(range(WEIGHT_STEPS + 1), repeat=models) if sum(shares) == WEIGHT_STEPS)
    return [np.array(shares, dtype=np.float64) / WEIGHT_STEPS for shares in tenths]


def _cod(log_value: FloatArray, log_price: FloatArray) -> float:
    """The mean absolute deviation of the ratios from their median, as a share of it: the COD."""
    ratio = np.exp(log_value - log_price)
    return float(np.mean(np.abs(ratio / np.median(ratio) - 1.0)))


def _vertical_equity_scale(blended: FloatArray, middle: float, log_price: FloatArray) -> float:
    """The least scale that brings the PRB within 0.015 of 0, or else the one that brings it nearest."""
    price = np.exp(log_price)
    prb_by_scale = np.array([prb_fit(np.exp(middle + s * (blended - middle)), price).slope for s in _SCALES])
    near = np.flatnonzero(np.abs(prb_by_scale) <= MAX_PRB)
    return float(_SCALES[near[0] if near.size else int(np.argmin(np.abs(prb_by_scale)))])
