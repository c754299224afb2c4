"""The repeat-sales price index: what the same properties sold for again.

Bailey, Muth and Nourse (1963), "A Regression Method for Real Estate Price Index Construction", regress the log price
change of each pair of sales on months (-1 at the first sale, +1 at the second). Case and Shiller (1987, 1989) add
that a pair says less the longer it spans: the squared residuals are regressed on the span, and the pairs weighted
with the inverse of what that predicts.

The normal equations are those of a graph of months joined by pairs, so they are added up pair by pair and the
regression's matrix is never made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import MIN_HOLDING_DAYS, MIN_PAIRS, MIN_VARIANCE_SHARE

Weighting = Literal["none", "case_shiller"]


@dataclass(frozen=True)
class Pairs:
    """n pairs of sales of one property each; arrays of shape (n,). `change` is the change of log price."""

    first_month: IntArray
    second_month: IntArray
    change: FloatArray

    def __len__(self) -> int:
        return int(self.change.size)


@dataclass(frozen=True)
class RepeatSalesIndex:
    """The index of each month that pairs reach; base month 100 and error 0; shapes (months,).

    `standard_error` is in index points. `pairs` counts those that the index rests on.
    """

    month: IntArray
    index: FloatArray
    standard_error: FloatArray
    pairs: int


def pair_sales(
    property_id: TextArray,
    day: IntArray,
    month: IntArray,
    sale_price: FloatArray,
    shortest_span_days: int = MIN_HOLDING_DAYS,
) -> Pairs:
    """Each sale with the next one of the same property, where the days between are not too few.

    All arrays have shape (n,), prices are above zero.
    """
    if (sale_price <= 0).any() or not np.isfinite(sale_price).all():
        raise AppraisalInputError("sale_price", "every price must be a number above zero")
    order = np.lexsort((day, property_id))
    first, second = order[:-1], order[1:]
    usable = (
        (property_id[first] == property_id[second])
        & (day[second] - day[first] >= shortest_span_days)
        & (month[second] > month[first])
    )
    first, second = first[usable], second[usable]
    return Pairs(month[first], month[second], np.log(sale_price[second]) - np.log(sale_price[first]))


def repeat_sales_index(pairs: Pairs, weighting: Weighting = "case_shiller") -> RepeatSalesIndex:
    """The index by the pairs' regression; `weighting` "none" is Bailey, Muth and Nourse's.

    Months that no chain of pairs joins to the most of them are left out; the base is the first month of the rest.
    Raises AppraisalInputError below 30 pairs, or where they are no more than the months to be told apart.
    """
    pair_count = len(pairs)
    pairs, months = _connected(pairs)
    if len(pairs) < MIN_PAIRS or len(pairs) <= months.size:
        needed = max(MIN_PAIRS, months.size + 1)
        raise AppraisalInputError(
            "pairs",
            f"a repeat-sales index needs at least {needed} properties sold twice, half a year or more apart, and there"
            f" are {pair_count}"
            + (f", {len(pairs)} of them in months that pairs join" if len(pairs) < pair_count else ""),
        )
    weight = np.ones(len(pairs))
    fit = _fit(pairs, months, weight)
    if weighting == "case_shiller":
        fit = _fit(pairs, months, _span_weights(pairs, fit.residual))
    index = 100.0 * np.exp(np.concatenate([[0.0], fit.level]))
    error = np.concatenate([[0.0], np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))])
    return RepeatSalesIndex(months, index, index * error, len(pairs))


@dataclass(frozen=True)
class _Fit:
    """Log levels of the months after the base, shape (months - 1,), their covariance, and residuals (n,)."""

    level: FloatArray
    covariance: FloatArray
    residual: FloatArray


def _fit(pairs: Pairs, months: IntArray, weight: FloatArray) -> _Fit:
    """Weighted least squares; weights are relative, and the residuals say how large the variance is."""
    first, second = np.searchsorted(months, pairs.first_month), np.searchsorted(months, pairs.second_month)
    size = months.size
    joined = np.bincount(first * size + second, weights=weight, minlength=size * size).reshape(size, size)
    normal = -(joined + joined.T)
    normal[np.arange(size), np.arange(size)] -= normal.sum(axis=1)
    pull = np.bincount(second, weights=weight * pairs.change, minlength=size)
    pull -= np.bincount(first, weights=weight * pairs.change, minlength=size)
    inverse: FloatArray = np.linalg.inv(normal[1:, 1:])
    level = inverse @ pull[1:]
    whole = np.concatenate([[0.0], level])
    residual = pairs.change - (whole[second] - whole[first])
    variance = float(weight @ residual**2) / (len(pairs) - level.size)
    return _Fit(level, inverse * variance, np.asarray(residual, dtype=np.float64))


def _span_weights(pairs: Pairs, residual: FloatArray) -> FloatArray:
    """The inverse of the variance that the span between the sales predicts, with mean 1.

    A prediction below a twentieth of the mean variance is taken as that, so that no pair decides alone.
    """
    span = (pairs.second_month - pairs.first_month).astype(np.float64)
    squared = residual**2
    mean = float(squared.mean())
    if mean <= 1e-18:
        return np.ones(len(pairs))
    about = span - span.mean()
    spread = float(about @ about)
    slope = float(about @ squared) / spread if spread > 0 else 0.0
    predicted = np.maximum(mean + slope * about, MIN_VARIANCE_SHARE * mean)
    weight = 1.0 / predicted
    return np.asarray(weight / weight.mean())


def _connected(pairs: Pairs) -> tuple[Pairs, IntArray]:
    """The pairs of the largest set of months that pairs join, and its months."""
    months = np.unique(np.concatenate([pairs.first_month, pairs.second_month]))
    first, second = np.searchsorted(months, pairs.first_month), np.searchsorted(months, pairs.second_month)
    label = np.arange(months.size)
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, first, label[second])
        np.minimum.at(lowest, second, label[first])
        if np.array_equal(lowest, label):
            break
        label = lowest
    if months.size == 0:
        return pairs, months
    largest = int(np.bincount(label[first], minlength=months.size).argmax())
    connected: BoolArray = label[first] == largest
    chosen = Pairs(pairs.first_month[connected], pairs.second_month[connected], pairs.change[connected])
    return chosen, months[label == largest]
