"""The statistics of a ratio study, as point values.

A ratio is an estimate of value divided by the sale price of the same property. All functions are pure, take
one-dimensional arrays of the same sales and raise AppraisalInputError for what is no such array. Unless said
otherwise the formulas are those of the IAAO Standard on Ratio Studies (April 2013), section 5 and appendix D.
MKI follows Quintos (2020, 2021); VEI is the vertical equity indicator of the exposure draft of the standard's revision
(2025, and May 2026, appendix E).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, IntArray, positive_numbers, sales_pair
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import MIN_SALES_FOR_PRB, MIN_SALES_FOR_VERTICAL_EQUITY, VEI_GROUPS


def ratios(estimate: FloatLike, sale_price: FloatLike) -> FloatArray:
    """estimate / sale_price of each sale; shape (n,)."""
    estimates, prices = sales_pair(estimate, sale_price)
    return estimates / prices


def median_ratio(ratio: FloatLike) -> float:
    """The middle ratio: the standard's preferred measure of appraisal level."""
    return float(np.median(positive_numbers("ratio", ratio)))


def mean_ratio(ratio: FloatLike) -> float:
    """The arithmetic mean of the ratios."""
    return float(np.mean(positive_numbers("ratio", ratio)))


def weighted_mean_ratio(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Total estimate over total price: each dollar counts the same."""
    estimates, prices = sales_pair(estimate, sale_price)
    return float(estimates.sum() / prices.sum())


def cod(ratio: FloatLike) -> float:
    """Coefficient of dispersion, in percent: the mean absolute deviation from the median over the median."""
    values = positive_numbers("ratio", ratio)
    median = np.median(values)
    return float(100.0 * np.mean(np.abs(values - median)) / median)


def cov(ratio: FloatLike) -> float:
    """Coefficient of variation, in percent: the sample standard deviation (n - 1) over the mean."""
    values = positive_numbers("ratio", ratio)
    return float(100.0 * np.std(values, ddof=1) / np.mean(values))


def prd(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Price-related differential: mean over weighted mean. Above 1: expensive homes are under-valued."""
    estimates, prices = sales_pair(estimate, sale_price)
    return float(np.mean(estimates / prices) / (estimates.sum() / prices.sum()))


@dataclass(frozen=True)
class PrbFit:
    """The regression behind PRB: its slope, the slope's standard error, and its degrees of freedom."""

    slope: float
    standard_error: float
    degrees: int


def prb(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Coefficient of price-related bias: the share by which ratios change when value doubles."""
    return prb_fit(estimate, sale_price).slope


def prb_fit(estimate: FloatLike, sale_price: FloatLike) -> PrbFit:
    """Regress (ratio - median) / median on log2 of the value proxy (appendix D.2 of the standard).

    The proxy is half the price plus half the estimate at the median level. Needs three sales, and prices that
    are not all one value.
    """
    estimates, prices = sales_pair(estimate, sale_price, MIN_SALES_FOR_PRB)
    ratio = estimates / prices
    median = float(np.median(ratio))
    x = np.log2(value_proxy(estimates, prices, median))
    y = (ratio - median) / median
    x_deviation = x - x.mean()
    spread = float(x_deviation @ x_deviation)
    if spread <= 1e-18 * x.size:
        raise AppraisalInputError("sale_price", "every value proxy is the same, so no price trend can be told")
    slope = float(x_deviation @ (y - y.mean())) / spread
    residual = (y - y.mean()) - slope * x_deviation
    degrees = ratio.size - 2
    return PrbFit(slope, float(np.sqrt(residual @ residual / degrees / spread)), degrees)


def value_proxy(estimate: FloatArray, sale_price: FloatArray, median: float) -> FloatArray:
    """0.5 * price + 0.5 * estimate / median: a value that neither the price nor the estimate alone biases."""
    return 0.5 * sale_price + 0.5 * estimate / median


def mki(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Modified Kakwani index: the estimates' concentration over the prices' Gini. Below 1: regressive.

    Sales are ranked by price; sales of one price have the mean of their ranks, which favours no estimate among them.
    """
    concentration, gini = _concentrations(estimate, sale_price)
    if gini <= 0.0:
        raise AppraisalInputError("sale_price", "every price is the same, so there is no inequality to compare")
    return concentration / gini


def kakwani_index(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Kakwani index: the estimates' concentration minus the prices' Gini. Below 0: regressive."""
    concentration, gini = _concentrations(estimate, sale_price)
    return concentration - gini


def vei(estimate: FloatLike, sale_price: FloatLike) -> float:
    """Vertical equity indicator, in percent of the overall median.

    The median ratio of the group with the highest value proxy minus that of the lowest group, over the overall
    median. Below 0: regressive. Needs 20 sales (see `vei_groups` for the number of groups).
    """
    estimates, prices = sales_pair(estimate, sale_price)
    lowest, highest = vei_groups(estimates, prices)
    ratio = estimates / prices
    difference = np.median(ratio[highest]) - np.median(ratio[lowest])
    return float(100.0 * difference / np.median(ratio))


def vei_groups(estimate: FloatArray, sale_price: FloatArray) -> tuple[IntArray, IntArray]:
    """Positions of the lowest and the highest group by value proxy (see `percentile_groups`)."""
    groups = percentile_groups(estimate, sale_price)
    return groups[0], groups[-1]


def percentile_groups(estimate: FloatArray, sale_price: FloatArray) -> list[IntArray]:
    """Positions of the sales of each group of nearly equal size by value proxy, the lowest first.

    Their number grows with that of the sales (VEI_GROUPS). A group ends at its percentile by the definition
    that the draft calls R7 (Hyndman and Fan's seventh).
    """
    size = estimate.size
    if size < MIN_SALES_FOR_VERTICAL_EQUITY:
        raise AppraisalInputError(
            "estimate", f"the VEI needs at least {MIN_SALES_FOR_VERTICAL_EQUITY} sales and there are {size}"
        )
    count = next(groups for smallest, groups in VEI_GROUPS if size >= smallest)
    proxy = value_proxy(estimate, sale_price, float(np.median(estimate / sale_price)))
    # Ties are ordered by price, so that the order of the input does not matter.
    order = np.lexsort((sale_price, proxy)).astype(np.int64)
    ends = [number * (size - 1) // count + 1 for number in range(1, count)]
    return np.split(order, ends)


def price_order(estimate: FloatArray, sale_price: FloatArray) -> IntArray:
    """Positions by ascending price, ties by estimate."""
    return np.lexsort((estimate, sale_price)).astype(np.int64)


def _concentrations(estimate: FloatLike, sale_price: FloatLike) -> tuple[float, float]:
    estimates, prices = sales_pair(estimate, sale_price)
    order = price_order(estimates, prices)
    starts, ends = tied_ranks(prices[order])
    rank = np.asarray(0.5 * (starts + 1 + ends), dtype=np.float64)
    return _concentration(estimates[order], rank), _concentration(prices[order], rank)


def tied_ranks(ordered: FloatArray) -> tuple[IntArray, IntArray]:
    """For each of the ascending values, how many are smaller, and how many are no larger."""
    return np.searchsorted(ordered, ordered, "left"), np.searchsorted(ordered, ordered, "right")


def _concentration(ordered: FloatArray, rank: FloatArray) -> float:
    size = ordered.size
    return float((2.0 * (rank @ ordered) / ordered.sum() - (size + 1)) / size)
