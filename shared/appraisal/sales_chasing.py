"""Does the distribution of the ratios look as if sold properties had been re-valued to their prices?"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from shared.appraisal.arrays import FloatLike, positive_numbers
from shared.appraisal.errors import AppraisalInputError

SUSPICIOUS_COD = 5.0
DEFAULT_BOUNDS = (0.98, 1.02)
DEFAULT_GAP = 0.03


@dataclass(frozen=True)
class ChasingSigns:
    """Three signs of sales chasing; any of them is a reason to compare sold with unsold properties.

    `low_cod`: COD under 5. `largest_step`: the largest share of ratios at (nearly) one value; `heaped` when it
    exceeds the gap. `share_within`: the share inside the bounds around 1; `crowded` when it exceeds what a
    normal distribution of the same mean and deviation would put there.
    """

    low_cod: bool
    largest_step: float
    heaped: bool
    share_within: float
    crowded: bool

    @property
    def suspected(self) -> bool:
        """Whether any sign is present."""
        return self.low_cod or (self.heaped and self.crowded)


def chasing_signs(
    ratio: FloatLike,
    bounds: tuple[float, float] = DEFAULT_BOUNDS,
    gap: float = DEFAULT_GAP,
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
    _, heaps = np.unique(np.round(values, 3), return_counts=True)
    step = float(heaps.max() / values.size)
    within = float(np.mean((values > low) & (values < high)))
    return ChasingSigns(
        low_cod=dispersion < SUSPICIOUS_COD,
        largest_step=step,
        heaped=step > gap,
        share_within=within,
        crowded=within > _normal_share(float(values.mean()), float(values.std(ddof=1)), low, high),
    )


def _normal_share(mean: float, deviation: float, low: float, high: float) -> float:
    """The share a normal distribution puts between low and high."""
    if deviation <= 0.0:
        return float(low < mean < high)
    scale = deviation * sqrt(2.0)
    return 0.5 * (erf((high - mean) / scale) - erf((low - mean) / scale))
