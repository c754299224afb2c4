"""The Mann-Whitney test of whether the values of one sample tend to be larger than those of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatLike, finite_numbers
from shared.appraisal.parameters import MIN_RANK_TEST_SAMPLE


@dataclass(frozen=True)
class RankTest:
    """`z` is above 0 where the first sample tends to be larger (infinite beyond 38); `p_value` is two-sided."""

    z: float
    p_value: float


def mann_whitney(first: FloatLike, second: FloatLike) -> RankTest:
    """Compare two samples of at least ten values by their ranks, by the normal approximation.

    Ties share their mean rank and lessen the variance; half a unit corrects for continuity. Source: Mann and
    Whitney (1947); the IAAO Standard on Ratio Studies (2013), section 5 and appendix E, recommends the test.
    """
    from scipy.special import ndtri
    from scipy.stats import mannwhitneyu  # when it is needed: importing it takes a second

    ones = finite_numbers("first", first, MIN_RANK_TEST_SAMPLE)
    others = finite_numbers("second", second, MIN_RANK_TEST_SAMPLE)
    statistic, p_value = mannwhitneyu(ones, others, method="asymptotic")
    direction = np.sign(statistic - ones.size * others.size / 2.0)
    return RankTest(float(-direction * ndtri(p_value / 2.0)) + 0.0, float(p_value))
