"""A monthly price index that holds the mix of homes constant, with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.columns import Characteristics
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.features import learn_features

FEWEST_SALES_FOR_INDEX = 30
FEWEST_SALES_A_MONTH = 5
_ROUNDS = 3
_HUBER = 1.5
_UNPENALISED = 1e-8


@dataclass(frozen=True)
class MonthlyIndex:
    """The index of each month that has enough sales: base month 100 and error 0; shapes (months,).

    `standard_error` is in index points, from the heteroskedasticity-consistent (HC1) covariance.
    """

    month: IntArray
    index: FloatArray
    standard_error: FloatArray


def monthly_index(
    month: IntArray, sale_price: FloatArray, properties: Characteristics, day: FloatArray
) -> MonthlyIndex:
    """The time-dummy hedonic index: exp of a month's coefficient in log price on months and characteristics.

    `month` counts months (any origin), all arrays have shape (n,). The base is the first month with five sales;
    months with fewer are left out. Raises InsufficientSalesError below 30 sales in at least two such months.
    Source: ILO/Eurostat Handbook on Residential Property Price Indices (2013), chapter 5.
    """
    if (sale_price <= 0).any() or not np.isfinite(sale_price).all():
        raise AppraisalInputError("sale_price", "every price must be a number above zero")
    months, counts = np.unique(month, return_counts=True)
    months = months[counts >= FEWEST_SALES_A_MONTH]
    kept = np.isin(month, months)
    if int(kept.sum()) < FEWEST_SALES_FOR_INDEX or months.size < 2:
        raise InsufficientSalesError("month", int(kept.sum()), FEWEST_SALES_FOR_INDEX, "a monthly price index")
    rows = np.flatnonzero(kept)
    controls = learn_features(properties.take(rows), day[rows])
    dummies = (month[rows][:, None] == months[None, 1:]).astype(np.float64)
    design = np.column_stack([np.ones(rows.size), dummies, controls.design(properties.take(rows), day[rows])])
    penalties = np.concatenate([np.full(months.size, _UNPENALISED), controls.penalties])
    beta, covariance = _robust(design, np.log(sale_price[rows]), penalties)
    change = np.concatenate([[0.0], beta[1 : months.size]])
    error = np.concatenate([[0.0], np.sqrt(np.maximum(np.diag(covariance)[1 : months.size], 0.0))])
    index = 100.0 * np.exp(change)
    return MonthlyIndex(months.astype(np.int64), index, index * error)


def _robust(design: FloatArray, target: FloatArray, penalties: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Huber-weighted ridge coefficients and their sandwich covariance."""
    weight = np.ones(target.size)
    for _ in range(_ROUNDS):
        weighted = design * weight[:, None]
        inverse = np.linalg.inv(weighted.T @ design + np.diag(penalties))
        beta = inverse @ (weighted.T @ target)
        residual = target - design @ beta
        scale = max(1.4826 * float(np.median(np.abs(residual))), 1e-9)
        used = weight
        weight = 1.0 / np.maximum(1.0, np.abs(residual) / (_HUBER * scale))
    degrees = max(target.size - int(np.linalg.matrix_rank(design)), 1)
    scores = design * (used * residual)[:, None]
    covariance = inverse @ (scores.T @ scores) @ inverse * (target.size / degrees)
    return beta, covariance
