"""The groups behind the vertical equity indicator, and how far apart they are beyond doubt.

Source: the exposure draft of the revised IAAO Standard on Ratio Studies (2025, and May 2026, appendix E).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatLike, sales_pair
from shared.appraisal.intervals import Interval, median_interval
from shared.appraisal.parameters import VEI_GROUP_CONFIDENCE
from shared.appraisal.ratio_statistics import percentile_groups, value_proxy


@dataclass(frozen=True)
class ValueGroup:
    """One group by value: its sales, the median of the value proxy, the median ratio with its 90 % interval."""

    sales: int
    median_value: float
    median_ratio: float
    interval: Interval


@dataclass(frozen=True)
class VerticalEquity:
    """The groups, lowest value first.

    `significance` is the gap between the intervals of the groups with the highest and the lowest median ratio, in
    percent of the overall median; 0 where they overlap.
    """

    groups: tuple[ValueGroup, ...]
    significance: float


def vertical_equity(estimate: FloatLike, sale_price: FloatLike) -> VerticalEquity:
    """The groups of the VEI. Raises AppraisalInputError below 20 sales."""
    estimates, prices = sales_pair(estimate, sale_price)
    ratio = estimates / prices
    median = float(np.median(ratio))
    proxy = value_proxy(estimates, prices, median)
    groups = []
    for members in percentile_groups(estimates, prices):
        level = float(np.median(ratio[members]))
        interval = median_interval(ratio[members], VEI_GROUP_CONFIDENCE) or Interval(level, level)
        groups.append(ValueGroup(int(members.size), float(np.median(proxy[members])), level, interval))
    highest = max(groups, key=lambda group: group.median_ratio)
    lowest = min(groups, key=lambda group: group.median_ratio)
    gap = highest.interval.low - lowest.interval.high
    return VerticalEquity(tuple(groups), max(0.0, 100.0 * gap / median))
