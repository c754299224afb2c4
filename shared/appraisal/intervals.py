"""Confidence intervals of the ratio statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, positive_numbers, sales_pair
from shared.appraisal.distributions import checked_confidence, median_interval_rank, student_t_quantile
from shared.appraisal.parameters import CONFIDENCE, MIN_DEFINED_RESAMPLES, MIN_SALES
from shared.appraisal.ratio_statistics import prb_fit


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval, low <= high."""

    low: float
    high: float

    def outside(self, low: float, high: float) -> bool:
        """True if no value of the interval lies in [low, high]."""
        return self.high < low or self.low > high

    def overlaps(self, low: float, high: float) -> bool:
        """True if some value of the interval lies in [low, high]."""
        return not self.outside(low, high)


def median_interval(ratio: FloatLike, confidence: float = CONFIDENCE) -> Interval | None:
    """The order-statistic interval of the median (standard, appendix C: no distribution assumed).

    None when the sample is too small for the level: fewer than six ratios at 95 %.
    """
    values = np.sort(positive_numbers("ratio", ratio))
    rank = median_interval_rank(values.size, confidence)
    return None if rank is None else Interval(float(values[rank - 1]), float(values[values.size - rank]))


def mean_interval(ratio: FloatLike, confidence: float = CONFIDENCE) -> Interval:
    """mean +- t * s / sqrt(n)."""
    values = positive_numbers("ratio", ratio)
    reach = _t(confidence, values.size - 1) * float(np.std(values, ddof=1)) / np.sqrt(values.size)
    return _around(float(values.mean()), float(reach))


def weighted_mean_interval(estimate: FloatLike, sale_price: FloatLike, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a ratio of two means (Cochran, Sampling Techniques, chapter 6)."""
    estimates, prices = sales_pair(estimate, sale_price)
    size = estimates.size
    weighted = float(estimates.sum() / prices.sum())
    residual = estimates - weighted * prices
    error = np.sqrt(residual @ residual / (size - 1) / size) / prices.mean()
    return _around(weighted, _t(confidence, size - 1) * float(error))


def prb_interval(estimate: FloatLike, sale_price: FloatLike, confidence: float = CONFIDENCE) -> Interval:
    """slope +- t * its standard error, by ordinary least squares."""
    fit = prb_fit(estimate, sale_price)
    return _around(fit.slope, _t(confidence, fit.degrees) * fit.standard_error)


def percentile_interval(resampled: FloatArray, confidence: float = CONFIDENCE) -> Interval | None:
    """The percentile interval of bootstrap statistics; None when most resamples had no such statistic."""
    tail = (1.0 - checked_confidence(confidence)) / 2.0
    known = resampled[np.isfinite(resampled)]
    if known.size < max(MIN_DEFINED_RESAMPLES * resampled.size, MIN_SALES):
        return None
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return Interval(float(low), float(high))


def _t(confidence: float, degrees: int) -> float:
    return student_t_quantile(0.5 + checked_confidence(confidence) / 2.0, degrees)


def _around(centre: float, reach: float) -> Interval:
    return Interval(centre - reach, centre + reach)
