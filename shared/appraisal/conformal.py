"""Prediction intervals from out-of-fold errors.

The errors log(price / estimate) of sales out of fold, divided by how large an error their difficulty leads one to
expect, have empirical quantiles; multiplied back they bound a new sale (normalised split conformal prediction:
Lei et al., JASA 2018). Nothing is assumed about the distribution of errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.parameters import (
    CONFIDENCE_BAND,
    COVERAGE,
    ERROR_CAP_QUANTILE,
    ERROR_FOLDS,
    ERROR_RIDGE,
    MAX_EXPECTED_ERROR,
    MIN_EXPECTED_ERROR,
)


@dataclass(frozen=True)
class ErrorModel:
    """Scaled out-of-fold errors, and how difficulty (columns that are 0 at the easiest) scales them."""

    coefficients: FloatArray
    typical: float
    scaled_errors: FloatArray

    def expected(self, difficulty: FloatArray) -> FloatArray:
        """The expected absolute log error at each difficulty; shape (n,)."""
        design = np.column_stack([np.ones(len(difficulty)), difficulty])
        return np.clip(design @ self.coefficients, MIN_EXPECTED_ERROR * self.typical, MAX_EXPECTED_ERROR * self.typical)

    def bounds(
        self, difficulty: FloatArray, extra_error: float = 0.0, coverage: float = COVERAGE
    ) -> tuple[FloatArray, FloatArray]:
        """Factors below and above the estimate that hold `coverage` of sales.

        `extra_error` is an independent log error (standard deviation) that the out-of-fold errors do not include, such
        as that of a trend carried beyond the last sale: the interval is widened as independent errors add.
        """
        low, high = self._quantiles(coverage)
        scale = self._scale(difficulty, extra_error)
        return np.exp(np.minimum(low, 0.0) * scale), np.exp(np.maximum(high, 0.0) * scale)

    def share_within(
        self, difficulty: FloatArray, extra_error: float = 0.0, within: float = CONFIDENCE_BAND
    ) -> FloatArray:
        """The share of out-of-fold errors that would lie within +-`within` of the estimate at this difficulty."""
        ordered = np.sort(self.scaled_errors)
        scale = self._scale(difficulty, extra_error)
        above = np.searchsorted(ordered, np.log1p(within) / scale, side="right")
        below = np.searchsorted(ordered, np.log1p(-within) / scale, side="left")
        return np.asarray((above - below) / ordered.size, dtype=np.float64)

    def _scale(self, difficulty: FloatArray, extra_error: float) -> FloatArray:
        spread = max(float(np.std(self.scaled_errors)), 1e-9)
        return np.hypot(self.expected(difficulty), extra_error / spread)

    def _quantiles(self, coverage: float) -> tuple[float, float]:
        # The finite-sample correction of conformal prediction: the (n + 1)th error is the new one.
        size = self.scaled_errors.size
        tail = max((1.0 - coverage) / 2.0 * (size + 1) / size - 1.0 / size, 0.0)
        low, high = np.quantile(self.scaled_errors, [tail, 1.0 - tail])
        return float(low), float(high)


def fit_errors(errors: FloatArray, difficulty: FloatArray) -> ErrorModel:
    """Learn from out-of-fold log errors (n,) and their difficulty (n, columns).

    Each error is scaled by what the errors of the other folds say of its difficulty: one that had helped to say it
    would look smaller than a new one.
    """
    typical = max(float(np.abs(errors).mean()), 1e-6)
    fold = np.arange(errors.size) % ERROR_FOLDS
    scaled = np.zeros(errors.size)
    for number in range(ERROR_FOLDS):
        others = ErrorModel(_coefficients(errors[fold != number], difficulty[fold != number]), typical, errors)
        scaled[fold == number] = errors[fold == number] / others.expected(difficulty[fold == number])
    return ErrorModel(_coefficients(errors, difficulty), typical, scaled)


def _coefficients(errors: FloatArray, difficulty: FloatArray) -> FloatArray:
    """Coefficients of absolute errors on difficulty: a constant and one for each column."""
    absolute = np.abs(errors)
    design = np.column_stack([np.ones(errors.size), difficulty])
    # One extreme outlier must not decide what difficulty means.
    limited = np.minimum(absolute, np.quantile(absolute, ERROR_CAP_QUANTILE))
    gram = design.T @ design + ERROR_RIDGE * errors.size * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(gram, design.T @ limited))
