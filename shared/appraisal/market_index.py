"""A monthly price index of a constant mix of homes, and prices adjusted for the mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.columns import Sales
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.features import Features, learn_features
from shared.appraisal.parameters import (
    INDEX_HUBER,
    INDEX_ITERATIONS,
    INDEX_RIDGE,
    MAD_TO_DEVIATION,
    MAX_SALES_FOR_INDEX_TREND,
    MIN_SALES_FOR_INDEX,
    MIN_SALES_PER_MONTH,
)
from shared.appraisal.time_trend import TimeTrend, fit_time_trend, month_numbers

_BLOCK_ROWS = 20_000
_MAX_CACHED_CELLS = 25_000_000
"""A matrix of up to so many cells (200 MB) is kept; a larger one is made anew, block by block, each time."""


@dataclass(frozen=True)
class MonthlyIndex:
    """The index of each month that has enough sales: base month 100 and error 0; shapes (months,).

    `standard_error` is in index points. `covariance`, shape (months - 1, months - 1), is that of the log levels of
    the months after the base: the heteroskedasticity-consistent one (HC1).
    """

    month: IntArray
    index: FloatArray
    standard_error: FloatArray
    covariance: FloatArray

    def annual_change(self) -> tuple[float, float]:
        """(log change a year, its standard error): the straight line that fits the log index best.

        Generalised least squares through the base, since the months' errors have the base in common.
        """
        years = (self.month[1:] - self.month[0]) / 12.0
        precision = np.linalg.pinv(self.covariance, hermitian=True)
        information = float(years @ precision @ years)
        if information <= 0.0:
            return float(np.log(self.index[-1] / 100.0) / years[-1]), 0.0
        slope = float(years @ precision @ np.log(self.index[1:] / 100.0)) / information
        return slope, float(np.sqrt(1.0 / information))


@dataclass(frozen=True)
class HedonicMarket:
    """The time-dummy hedonic regression of log price on months and characteristics.

    `coefficients` are the constant, the months after the base, and the characteristics; `used` are the sales of
    months with five and more.
    """

    used: Sales
    months: IntArray
    controls: Features
    coefficients: FloatArray
    covariance: FloatArray

    def index(self) -> MonthlyIndex:
        """The index: exp of a month's coefficient. The base is the first month with five sales."""
        steps = self.months.size - 1
        covariance = self.covariance[1 : steps + 1, 1 : steps + 1]
        change = np.concatenate([[0.0], self.coefficients[1 : steps + 1]])
        error = np.concatenate([[0.0], np.sqrt(np.maximum(np.diag(covariance), 0.0))])
        index = 100.0 * np.exp(change)
        return MonthlyIndex(self.months.astype(np.int64), index, index * error, covariance)

    def trend(self, valuation_day: int) -> TimeTrend:
        """The smooth trend of prices freed of what the characteristics explain, to carry prices to the day.

        The regression's sales must all be before the day. Raises InsufficientSalesError for too few of them,
        AppraisalInputError for a day more than a year after the last.
        """
        if self.used.sale_day.max() >= valuation_day:
            raise AppraisalInputError("valuation_day", "is not after every sale that the regression rests on")
        by_day = np.argsort(self.used.sale_day, kind="stable")
        chosen = np.linspace(0, by_day.size - 1, min(by_day.size, MAX_SALES_FOR_INDEX_TREND)).round().astype(np.int64)
        sales = self.used.take(by_day[chosen])
        day = sales.sale_day.astype(np.float64)
        slopes = self.coefficients[self.months.size :]
        explained = [
            self.controls.design(sales.characteristics.take(rows), day[rows]) @ slopes
            for rows in map(_positions, _blocks(len(sales)))
        ]
        return fit_time_trend(day, np.log(sales.sale_price) - np.concatenate(explained), valuation_day)


def fit_market(sales: Sales) -> HedonicMarket:
    """Fit the regression. Raises InsufficientSalesError below 30 sales in at least two months with five each.

    Source: ILO/Eurostat Handbook on Residential Property Price Indices (2013), chapter 5.
    """
    price = sales.sale_price
    if (price <= 0).any() or not np.isfinite(price).all():
        raise AppraisalInputError("sale_price", "every price must be a number above zero")
    month = month_numbers(sales.sale_day)
    months, counts = np.unique(month, return_counts=True)
    months = months[counts >= MIN_SALES_PER_MONTH]
    rows = np.flatnonzero(np.isin(month, months))
    if rows.size < MIN_SALES_FOR_INDEX or months.size < 2:
        raise InsufficientSalesError(
            "month",
            len(sales),
            MIN_SALES_FOR_INDEX,
            "a monthly price index (two months with five sales each)",
            of_them=f"{rows.size} in {months.size} months with five or more" if len(sales) else "",
        )
    used = sales.take(rows)
    day = used.sale_day.astype(np.float64)
    controls = learn_features(used.characteristics, day)

    def design(block: slice) -> FloatArray:
        positions = _positions(block)
        dummies = (month[rows[positions]][:, None] == months[None, 1:]).astype(np.float64)
        known = controls.design(used.characteristics.take(positions), day[positions])
        return np.column_stack([np.ones(positions.size), dummies, known])

    penalties = np.concatenate([np.full(months.size, INDEX_RIDGE), controls.penalties])
    beta, covariance = _robust(design, np.log(used.sale_price), penalties)
    return HedonicMarket(used, months, controls, beta, covariance)


def _blocks(size: int) -> Iterator[slice]:
    """Rows block by block: the regression's matrix need not be whole in memory."""
    for start in range(0, size, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, size))


def _positions(block: slice) -> IntArray:
    return np.arange(block.start, block.stop, dtype=np.int64)


def _robust(
    design: Callable[[slice], FloatArray], target: FloatArray, penalties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Huber-weighted ridge coefficients and their sandwich covariance; `design` gives the rows of a block."""
    weight, residual = np.ones(target.size), np.zeros(target.size)
    size = penalties.size
    if target.size * size <= _MAX_CACHED_CELLS:
        design = design(slice(0, target.size)).__getitem__
    for _ in range(INDEX_ITERATIONS):
        gram, moment = np.diag(penalties), np.zeros(size)
        for rows in _blocks(target.size):
            columns = design(rows)
            weighted = columns * weight[rows][:, None]
            gram += weighted.T @ columns
            moment += weighted.T @ target[rows]
        inverse = np.linalg.inv(gram)
        beta = inverse @ moment
        for rows in _blocks(target.size):
            residual[rows] = target[rows] - design(rows) @ beta
        scale = max(MAD_TO_DEVIATION * float(np.median(np.abs(residual))), 1e-9)
        used = weight
        weight = 1.0 / np.maximum(1.0, np.abs(residual) / (INDEX_HUBER * scale))
    meat = np.zeros((size, size))
    for rows in _blocks(target.size):
        scores = design(rows) * (used * residual)[rows][:, None]
        meat += scores.T @ scores
    # What the penalties leave of each coefficient is the fit's degrees of freedom.
    spent = size - float(np.trace(inverse @ np.diag(penalties)))
    degrees = max(target.size - spent, 1.0)
    return beta, inverse @ meat @ inverse * (target.size / degrees)
