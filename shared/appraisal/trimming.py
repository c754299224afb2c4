"""Outlier trimming: which ratios a study leaves out, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatLike, positive_numbers
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import IQR_MULTIPLE, MAX_TRIMMED_SHARE


@dataclass(frozen=True)
class Trimming:
    """The ratios that trimming retains. `low` and `high` are the fences; `beyond_fences` counts what lies outside them.

    `capped` says that more lay outside than may be trimmed, so that only the furthest went.
    """

    kept: BoolArray
    low: float
    high: float
    trimmed: int
    beyond_fences: int
    capped: bool


def trim_outliers(ratio: FloatLike, multiple: float = IQR_MULTIPLE, most: float = MAX_TRIMMED_SHARE) -> Trimming:
    """Leave out ratios more than `multiple` interquartile ranges beyond the quartiles, at most a share `most`.

    Standard on Ratio Studies (2013), appendix B: fences at 3 IQR for extreme outliers, no more than 10 % of the
    sample trimmed. Quartiles are interpolated at the ranks (n + 1) / 4 and 3 (n + 1) / 4.
    Where the cap is reached, the ratios furthest beyond their fence go first.
    """
    values = positive_numbers("ratio", ratio)
    if not multiple > 0:
        raise AppraisalInputError("multiple", f"must be above zero, not {multiple!r}")
    if not 0 <= most < 1:
        raise AppraisalInputError("most", f"must be a share below 1, not {most!r}")
    first, third = np.quantile(values, [0.25, 0.75], method="weibull")
    reach = multiple * (third - first)
    low, high = float(first - reach), float(third + reach)
    beyond = np.maximum(low - values, values - high)
    outside = int((beyond > 0).sum())
    allowed = min(outside, int(most * values.size))
    kept = np.ones(values.size, dtype=np.bool_)
    # Ties are broken by the ratio itself, so that the order of the input does not decide.
    kept[np.lexsort((values, -beyond))[:allowed]] = False
    return Trimming(kept, low, high, allowed, outside, allowed < outside)


def no_trimming(ratio: FloatLike) -> Trimming:
    """Every ratio stays."""
    values = positive_numbers("ratio", ratio)
    kept = np.ones(values.size, dtype=np.bool_)
    return Trimming(kept, float(values.min()), float(values.max()), 0, 0, False)
