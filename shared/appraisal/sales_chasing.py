"""Were sold properties re-valued to their prices? What the ratios show, and what sold and unsold properties do.

The tests are those of the IAAO Standard on Ratio Studies (2013), appendix E.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, positive_numbers
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import (
    CHASING_BOUNDS,
    CHASING_DECIMALS,
    MAX_CHASING_STEP,
    MAX_MEDIAN_DIFFERENCE,
    MIN_RANK_TEST_SAMPLE,
    SIGNIFICANCE_LEVEL,
    SUSPICIOUS_COD,
)
from shared.appraisal.rank_test import mann_whitney


@dataclass(frozen=True)
class ChasingSigns:
    """Three signs of sales chasing; any of them is a reason to compare sold with unsold properties.

    `low_cod`: COD under 5. `largest_step`: the largest share of ratios that are one value to three decimals, which
    is `heap`; `heaped` when it exceeds the gap. `largest_exact_step` is the largest share that are one value to the
    last digit. `share_within`: the share inside the bounds around 1; `crowded` when it exceeds `normal_share`, what a
    normal distribution of the same mean and deviation would put there.
    """

    cod: float
    low_cod: bool
    heap: float
    largest_step: float
    largest_exact_step: float
    heaped: bool
    share_within: float
    normal_share: float
    crowded: bool

    @property
    def suspected(self) -> bool:
        """True if any sign is present."""
        return self.low_cod or (self.heaped and self.crowded)


def chasing_signs(
    ratio: FloatLike,
    bounds: tuple[float, float] = CHASING_BOUNDS,
    gap: float = MAX_CHASING_STEP,
) -> ChasingSigns:
    """Look for sales chasing (Standard on Ratio Studies 2013, appendix E).

    `gap` is a share between 0 and 1; `bounds` are increasing.
    """
    values = positive_numbers("ratio", ratio)
    if not 0.0 < gap < 1.0:
        raise AppraisalInputError("gap", f"must lie between 0 and 1, not {gap!r}")
    low, high = bounds
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise AppraisalInputError("bounds", f"must increase, not {bounds!r}")
    median = float(np.median(values))
    dispersion = float(100.0 * np.mean(np.abs(values - median)) / median)
    rounded, heaps = np.unique(np.round(values, CHASING_DECIMALS), return_counts=True)
    _, exact = np.unique(values, return_counts=True)
    step = float(heaps.max() / values.size)
    within = float(np.mean((values > low) & (values < high)))
    expected = _normal_share(float(values.mean()), float(values.std(ddof=1)), low, high)
    return ChasingSigns(
        cod=dispersion,
        low_cod=dispersion < SUSPICIOUS_COD,
        heap=float(rounded[heaps.argmax()]),
        largest_step=step,
        largest_exact_step=float(exact.max() / values.size),
        heaped=step > gap,
        share_within=within,
        normal_share=expected,
        crowded=within > expected,
    )


@dataclass(frozen=True)
class Comparison:
    """Two groups of properties compared by their medians and by Mann and Whitney's test.

    `difference` is the first group's median less the second's; `suspicious` where the difference is beyond chance, and
    larger than would matter.
    """

    first: int
    second: int
    first_median: float
    second_median: float
    p_value: float
    suspicious: bool

    @property
    def difference(self) -> float:
        return self.first_median - self.second_median


def compare_changes(sold: FloatLike, unsold: FloatLike) -> Comparison | None:
    """Changes of value (new over old) of sold and of unsold properties, which should be alike.

    None where either group has fewer than ten.
    """
    return _compared(positive_numbers("sold", sold, 0), positive_numbers("unsold", unsold, 0))


def compare_periods(before: FloatLike, after: FloatLike) -> Comparison | None:
    """Ratios of sales before and after the valuation date (the split sample), time-adjusted; None below ten in either.

    Sales after the date cannot have been chased: chased ones before it have ratios nearer to the level aimed at.
    """
    return _compared(positive_numbers("before", before, 0), positive_numbers("after", after, 0))


def _compared(first: FloatArray, second: FloatArray) -> Comparison | None:
    if min(first.size, second.size) < MIN_RANK_TEST_SAMPLE:
        return None
    p_value = mann_whitney(first, second).p_value
    medians = float(np.median(first)), float(np.median(second))
    differ = abs(medians[0] - medians[1]) > MAX_MEDIAN_DIFFERENCE * medians[1]
    return Comparison(first.size, second.size, *medians, p_value, differ and p_value < SIGNIFICANCE_LEVEL)


def _normal_share(mean: float, deviation: float, low: float, high: float) -> float:
    """The share a normal distribution puts between low and high."""
    if deviation <= 0.0:
        return float(low < mean < high)
    normal = NormalDist(mean, deviation)
    return normal.cdf(high) - normal.cdf(low)
