"""The quantiles that the intervals need: Student's t and the binomial with p = 1/2."""

from __future__ import annotations

import math

import numpy as np

from shared.appraisal.errors import AppraisalInputError

_CONTINUED_FRACTION_TERMS = 500
_TINY = 1e-300


def checked_confidence(confidence: float) -> float:
    """A confidence level strictly between 0 and 1."""
    if not (isinstance(confidence, float | int) and 0.0 < confidence < 1.0):
        raise AppraisalInputError("confidence", f"must lie between 0 and 1, not {confidence!r}")
    return float(confidence)


def student_t_quantile(probability: float, degrees: int) -> float:
    """The value that Student's t with `degrees` degrees of freedom falls below with `probability`.

    Bisection on the distribution function written with the regularised incomplete beta function
    (Abramowitz and Stegun 26.7.1); accurate to about 1e-12.
    """
    if degrees < 1:
        raise AppraisalInputError("degrees", f"must be at least 1, not {degrees}")
    if not 0.0 < probability < 1.0:
        raise AppraisalInputError("probability", f"must lie between 0 and 1, not {probability!r}")
    if probability < 0.5:
        return -student_t_quantile(1.0 - probability, degrees)
    low, high = 0.0, 1.0
    while _student_t_cdf(high, degrees) < probability:
        low, high = high, high * 2.0
    while high - low > 1e-13 * max(1.0, high):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if _student_t_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def median_interval_rank(size: int, confidence: float) -> int | None:
    """The rank k (from 1) for which [x(k), x(n + 1 - k)] covers the median with at least `confidence`.

    The largest k with P(Binomial(n, 1/2) < k) <= (1 - confidence) / 2: the order-statistic interval that
    makes no assumption about the distribution. None when even [x(1), x(n)] does not reach the level (fewer
    than six values at 95 %).
    """
    tail = (1.0 - checked_confidence(confidence)) / 2.0
    highest = size // 2
    steps = np.arange(1, highest + 1, dtype=np.float64)
    log_mass = -size * math.log(2.0) + np.concatenate(([0.0], np.cumsum(np.log((size - steps + 1) / steps))))
    below = np.cumsum(np.exp(log_mass))
    # below[j] = P(X <= j); rank k needs P(X <= k - 1) <= tail. Ties with the level count as reached.
    ranks = int(np.searchsorted(below, tail * (1 + 1e-12), side="right"))
    return min(ranks, highest) if ranks >= 1 else None


def _student_t_cdf(value: float, degrees: int) -> float:
    tail = 0.5 * _incomplete_beta(degrees / (degrees + value * value), degrees / 2.0, 0.5)
    return 1.0 - tail


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (A&S 26.5.8)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1.0 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Lentz's evaluation of the continued fraction of the incomplete beta function."""
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    result = d
    for m in range(1, _CONTINUED_FRACTION_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            result *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
