"""The quantiles that the intervals need: Student's t and the binomial with p = 1/2."""

from __future__ import annotations

import math

import numpy as np

from shared.appraisal.errors import AppraisalInputError


def checked_confidence(confidence: float) -> float:
    """A confidence level strictly between 0 and 1."""
    if not (isinstance(confidence, float | int) and 0.0 < confidence < 1.0):
        raise AppraisalInputError("confidence", f"must lie between 0 and 1, not {confidence!r}")
    return float(confidence)


def student_t_quantile(probability: float, degrees: int) -> float:
    """The value that Student's t with `degrees` degrees of freedom falls below with `probability`."""
    if degrees < 1:
        raise AppraisalInputError("degrees", f"must be at least 1, not {degrees}")
    if not 0.0 < probability < 1.0:
        raise AppraisalInputError("probability", f"must lie between 0 and 1, not {probability!r}")
    from scipy.special import stdtrit  # when it is needed: importing it takes a tenth of a second

    return float(stdtrit(degrees, probability))


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
