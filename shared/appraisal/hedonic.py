"""The hedonic regression that adjustments are read from: log price on characteristics, location and time.

Ridge regression, log-log in the areas, alternating with the location surface and the time trend until they agree,
with Huber weights against outliers. Every coefficient comes from the county's own sales before the valuation day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.features import Features, group_sums, learn_features
from shared.appraisal.location import LocationSurface, fit_surface, make_grid
from shared.appraisal.parameters import (
    HEDONIC_HUBER,
    HEDONIC_ITERATIONS,
    INTERCEPT_PENALTY,
    MAD_TO_DEVIATION,
    MAX_LEVERAGE,
    MIN_SALES_FOR_REGRESSION,
)
from shared.appraisal.time_trend import TimeTrend, fit_time_trend

LOCATION = "location"


@dataclass(frozen=True)
class HedonicModel:
    """A fitted regression; log value = constant + trend + characteristics + location.

    `names` are the groups that contributions come in, the location last. `leave_one_out_location` and `residual`
    belong to the sales it was fitted on: the location's contribution without the sale itself, and the residual log
    price after it. `scale` is the robust standard deviation of the residuals.
    """

    features: Features
    coefficients: FloatArray
    constant: float
    surface: LocationSurface
    trend: TimeTrend
    leave_one_out_location: FloatArray
    residual: FloatArray
    scale: float

    @property
    def names(self) -> tuple[str, ...]:
        """The contributions' names: the characteristics and `location`."""
        return (*self.features.names, LOCATION)

    def contributions(self, properties: Characteristics, day: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Log contributions of each group as on `day`, shape (n, len(names)); and who lies inside the surface."""
        weighted = self.features.design(properties, day) * self.coefficients
        grouped = group_sums(weighted, self.features.groups, self.features.names)
        location, inside = self.surface.at(properties.longitude, properties.latitude)
        return np.column_stack([grouped, location]), inside

    def leave_one_out(self, sales: Sales) -> LeaveOneOut:
        """The regression without each of the sales that it was fitted on, in turn."""
        design = _design(self.features, sales)
        weight = _weight(self.residual, self.scale)
        change = np.asarray(
            np.linalg.solve(_gram(design, _penalties(self.features), weight), design.T).T, dtype=np.float64
        )
        leverage = np.minimum(weight * (design * change).sum(axis=1), MAX_LEVERAGE)
        change *= (weight * self.residual / (1.0 - leverage))[:, None]
        return LeaveOneOut(self.features, design, change)


@dataclass(frozen=True)
class LeaveOneOut:
    """Influence of each sale on the regression it helped to fit: leaving it out takes `change` off the coefficients.

    Exact for a ridge regression with given weights, trend and surface, by each sale's leverage (Belsley, Kuh and
    Welsch, Regression Diagnostics, 1980, section 2.1). `design` and `change` have shape (n, 1 + columns), the constant
    first. A regression with many columns fits its own few sales far better than it values others.
    """

    features: Features
    design: FloatArray
    change: FloatArray

    def own(self) -> FloatArray:
        """Influence of each sale on its own log contributions; shape (n, names), the constant's share at the location,
        which has no other: the surface leaves a sale out of its own place already.
        """
        return self._grouped(self.design * self.change)

    def differences(self, rows: IntArray, others: IntArray) -> FloatArray:
        """Influence of the sales at `rows` (m,) on the differences of their log contributions from those at `others`
        (m, k); shape (m, k, names).
        """
        influence = (self.design[rows][:, None, :] - self.design[others]) * self.change[rows][:, None, :]
        return self._grouped(influence.reshape(-1, influence.shape[2])).reshape(*others.shape, -1)

    def _grouped(self, parts: FloatArray) -> FloatArray:
        return np.column_stack([group_sums(parts[:, 1:], self.features.groups, self.features.names), parts[:, 0]])


def usable_for_fit(sales: Sales, valuation_day: int) -> BoolArray:
    """Sales before the valuation day with a price above zero and a living area."""
    area = sales.characteristics.living_area_sqft
    return (
        (sales.sale_day < valuation_day)
        & np.isfinite(sales.sale_price)
        & (sales.sale_price > 0)
        & np.isfinite(area)
        & (area > 0)
    )


def fit_hedonic(sales: Sales, valuation_day: int) -> HedonicModel:
    """Fit on sales that are all usable (see `usable_for_fit`).

    Raises InsufficientSalesError below 40 sales, AppraisalInputError for a sale that is not usable.
    """
    if len(sales) < MIN_SALES_FOR_REGRESSION:
        raise InsufficientSalesError("sales", len(sales), MIN_SALES_FOR_REGRESSION, "a hedonic regression")
    if not usable_for_fit(sales, valuation_day).all():
        raise AppraisalInputError(
            "sales", "every sale must be before the valuation day, with a price and a living area"
        )
    properties = sales.characteristics
    day = sales.sale_day.astype(np.float64)
    log_price = np.log(sales.sale_price)
    features = learn_features(properties, day)
    design, penalties = _design(features, sales), _penalties(features)
    grid = make_grid(properties.longitude, properties.latitude)
    location, time = np.zeros(len(sales)), np.zeros(len(sales))
    weight = np.ones(len(sales))
    for _ in range(HEDONIC_ITERATIONS):
        beta = _ridge(design, log_price - location - time, penalties, weight)
        fitted = design @ beta
        surface, location = fit_surface(
            grid, properties.longitude, properties.latitude, log_price - fitted - time, weight
        )
        trend = fit_time_trend(day, log_price - fitted - location, valuation_day)
        time = trend.level(day)
        residual = log_price - fitted - location - time
        scale = max(MAD_TO_DEVIATION * float(np.median(np.abs(residual - np.median(residual)))), 1e-6)
        weight = _weight(residual, scale)
    return HedonicModel(features, beta[1:], float(beta[0]), surface, trend, location, residual, scale)


def _design(features: Features, sales: Sales) -> FloatArray:
    columns = features.design(sales.characteristics, sales.sale_day.astype(np.float64))
    return np.column_stack([np.ones(len(sales)), columns])


def _penalties(features: Features) -> FloatArray:
    return np.concatenate([[INTERCEPT_PENALTY], features.penalties])


def _weight(residual: FloatArray, scale: float) -> FloatArray:
    return np.asarray(1.0 / np.maximum(1.0, np.abs(residual) / (HEDONIC_HUBER * scale)))


def _gram(design: FloatArray, penalties: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray((design * weight[:, None]).T @ design + np.diag(penalties))


def _ridge(design: FloatArray, target: FloatArray, penalties: FloatArray, weight: FloatArray) -> FloatArray:
    moment = (design * weight[:, None]).T @ target
    return np.asarray(np.linalg.solve(_gram(design, penalties, weight), moment))
