"""What the market did, with the mix of homes held constant: a monthly price index, and prices freed of the mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.columns import Sales
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.features import Features, learn_features
from shared.appraisal.time_trend import TimeTrend, fit_time_trend, month_numbers

FEWEST_SALES_FOR_INDEX = 30
FEWEST_SALES_A_MONTH = 5
_ROUNDS = 3
_HUBER = 1.5
_UNPENALISED = 1e-8
_ROWS_AT_ONCE = 20_000


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


def monthly_index(sales: Sales) -> MonthlyIndex:
    """The time-dummy hedonic index: exp of a month's coefficient in log price on months and characteristics.

    The base is the first month with five sales; months with fewer are left out. Raises InsufficientSalesError below
    30 sales in at least two such months. Source: ILO/Eurostat Handbook on Residential Property Price Indices (2013),
    chapter 5.
    """
    fit = _fit_months(sales)
    steps = fit.months.size - 1
    covariance = fit.covariance[1 : steps + 1, 1 : steps + 1]
    change = np.concatenate([[0.0], fit.coefficients[1 : steps + 1]])
    error = np.concatenate([[0.0], np.sqrt(np.maximum(np.diag(covariance), 0.0))])
    index = 100.0 * np.exp(change)
    return MonthlyIndex(fit.months.astype(np.int64), index, index * error, covariance)


def market_trend(sales: Sales, valuation_day: int) -> TimeTrend:
    """The trend that carries prices to the valuation day, of prices freed of what the hedonic index finds.

    Only sales strictly before the day are used. Raises InsufficientSalesError where they are too few for an index or a
    trend, AppraisalInputError for a day more than a year after the last of them.
    """
    known = sales.take(sales.sale_day < valuation_day)
    fit = _fit_months(known)
    used = known.take(fit.rows)
    day = used.sale_day.astype(np.float64)
    characteristics = fit.coefficients[fit.months.size :]
    explained = np.concatenate(
        [
            fit.controls.design(used.characteristics.take(rows), day[rows]) @ characteristics
            for rows in _blocks(len(used))
        ]
    )
    return fit_time_trend(day, np.log(used.sale_price) - explained, valuation_day)


@dataclass(frozen=True)
class _Fit:
    """The regression: constant, months after the base, characteristics; `rows` are the sales it was fitted on."""

    rows: IntArray
    months: IntArray
    controls: Features
    coefficients: FloatArray
    covariance: FloatArray


def _fit_months(sales: Sales) -> _Fit:
    price = sales.sale_price
    if (price <= 0).any() or not np.isfinite(price).all():
        raise AppraisalInputError("sale_price", "every price must be a number above zero")
    month = month_numbers(sales.sale_day)
    months, counts = np.unique(month, return_counts=True)
    months = months[counts >= FEWEST_SALES_A_MONTH]
    rows = np.flatnonzero(np.isin(month, months))
    if rows.size < FEWEST_SALES_FOR_INDEX or months.size < 2:
        raise InsufficientSalesError(
            "month", int(rows.size), FEWEST_SALES_FOR_INDEX, "a monthly price index (two months with five sales each)"
        )
    used = sales.take(rows)
    day = used.sale_day.astype(np.float64)
    controls = learn_features(used.characteristics, day)

    def design(block: IntArray) -> FloatArray:
        dummies = (month[rows[block]][:, None] == months[None, 1:]).astype(np.float64)
        known = controls.design(used.characteristics.take(block), day[block])
        return np.column_stack([np.ones(block.size), dummies, known])

    penalties = np.concatenate([np.full(months.size, _UNPENALISED), controls.penalties])
    beta, covariance = _robust(design, np.log(used.sale_price), penalties)
    return _Fit(rows.astype(np.int64), months, controls, beta, covariance)


def _blocks(size: int) -> Iterator[IntArray]:
    """Positions block by block: the regression's matrix is never whole in memory."""
    for start in range(0, size, _ROWS_AT_ONCE):
        yield np.arange(start, min(start + _ROWS_AT_ONCE, size), dtype=np.int64)


def _robust(
    design: Callable[[IntArray], FloatArray], target: FloatArray, penalties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Huber-weighted ridge coefficients and their sandwich covariance; `design` gives the rows at positions."""
    weight, residual = np.ones(target.size), np.zeros(target.size)
    size = penalties.size
    for _ in range(_ROUNDS):
        gram, moment = np.diag(penalties), np.zeros(size)
        for rows in _blocks(target.size):
            columns = design(rows)
            weighted = columns * weight[rows, None]
            gram += weighted.T @ columns
            moment += weighted.T @ target[rows]
        inverse = np.linalg.inv(gram)
        beta = inverse @ moment
        for rows in _blocks(target.size):
            residual[rows] = target[rows] - design(rows) @ beta
        scale = max(1.4826 * float(np.median(np.abs(residual))), 1e-9)
        used = weight
        weight = 1.0 / np.maximum(1.0, np.abs(residual) / (_HUBER * scale))
    meat = np.zeros((size, size))
    for rows in _blocks(target.size):
        scores = design(rows) * (used * residual)[rows, None]
        meat += scores.T @ scores
    # What the penalties leave of each coefficient is the fit's degrees of freedom.
    spent = size - float(np.trace(inverse @ np.diag(penalties)))
    degrees = max(target.size - spent, 1.0)
    return beta, inverse @ meat @ inverse * (target.size / degrees)
