"""The Mann-Whitney test of whether the values of one sample tend to be larger than those of another."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, finite_numbers
from shared.appraisal.parameters import MIN_RANK_TEST_SAMPLE


@dataclass(frozen=True)
class RankTest:
    """`z` is above 0 where the first sample tends to be larger; `p_value` is two-sided."""

    z: float
    p_value: float


def mann_whitney(first: FloatLike, second: FloatLike) -> RankTest:
    """Compare two samples of at least ten values by their ranks, by the normal approximation.

    Ties share their mean rank and lessen the variance; half a unit corrects for continuity. Source: Mann and
    Whitney (1947); the IAAO Standard on Ratio Studies (2013), section 5 and appendix E, recommends the test.
    """
    ones = finite_numbers("first", first, MIN_RANK_TEST_SAMPLE)
    others = finite_numbers("second", second, MIN_RANK_TEST_SAMPLE)
    ranks, ties = _mean_ranks(np.concatenate([ones, others]))
    n, m = ones.size, others.size
    statistic = float(ranks[:n].sum()) - n * (n + 1) / 2.0
    total = n + m
    variance = n * m / 12.0 * ((total + 1) - float((ties**3 - ties).sum()) / (total * (total - 1)))
    if variance <= 0.0:
        return RankTest(0.0, 1.0)
    away = statistic - n * m / 2.0
    z = float(np.sign(away)) * max(abs(away) - 0.5, 0.0) / sqrt(variance)
    return RankTest(z, erfc(abs(z) / sqrt(2.0)))


def _mean_ranks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(ranks from 1, tied ones with their mean; how many values each distinct one has)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[place]), counts.astype(np.float64)
