"""The hedonic regression that adjustments are read from: log price on characteristics, location and time.

Ridge regression, log-log in the areas, alternating with the location surface and the time trend until they agree,
with Huber weights against odd sales. Every coefficient comes from the county's own sales before the valuation day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.features import Features, group_sums, learn_features
from shared.appraisal.location import LocationSurface, fit_surface, make_grid
from shared.appraisal.time_trend import TimeTrend, fit_time_trend

FEWEST_SALES = 50
"""For a model; its regression must also do with the four fifths that are left when some are kept out to test it."""
_FEWEST_TO_FIT = 40
MOST_SALES = 60_000
LOCATION = "location"
_ROUNDS = 4
_HUBER = 1.2


@dataclass(frozen=True)
class HedonicModel:
    """A fitted regression; log value = constant + trend + characteristics + location.

    `names` are the groups that contributions come in, the location last. `left_out` and `residual` belong to the
    sales it was fitted on: the location's contribution without the sale itself, and what is left of log price
    after it. `scale` is the robust standard deviation of the residuals.
    """

    features: Features
    coefficients: FloatArray
    constant: float
    surface: LocationSurface
    trend: TimeTrend
    left_out: FloatArray
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
    if len(sales) < _FEWEST_TO_FIT:
        raise InsufficientSalesError("sales", len(sales), _FEWEST_TO_FIT, "a hedonic regression")
    if not usable_for_fit(sales, valuation_day).all():
        raise AppraisalInputError(
            "sales", "every sale must be before the valuation day, with a price and a living area"
        )
    properties = sales.characteristics
    day = sales.sale_day.astype(np.float64)
    log_price = np.log(sales.sale_price)
    features = learn_features(properties, day)
    design = np.column_stack([np.ones(len(sales)), features.design(properties, day)])
    penalties = np.concatenate([[1e-6], features.penalties])
    grid = make_grid(properties.longitude, properties.latitude)
    location, time = np.zeros(len(sales)), np.zeros(len(sales))
    weight = np.ones(len(sales))
    for _ in range(_ROUNDS):
        beta = _ridge(design, log_price - location - time, penalties, weight)
        fitted = design @ beta
        surface, location = fit_surface(
            grid, properties.longitude, properties.latitude, log_price - fitted - time, weight
        )
        trend = fit_time_trend(day, log_price - fitted - location, valuation_day)
        time = trend.level(day)
        residual = log_price - fitted - location - time
        scale = max(1.4826 * float(np.median(np.abs(residual - np.median(residual)))), 1e-6)
        weight = 1.0 / np.maximum(1.0, np.abs(residual) / (_HUBER * scale))
    return HedonicModel(features, beta[1:], float(beta[0]), surface, trend, location, residual, scale)


def _ridge(design: FloatArray, target: FloatArray, penalties: FloatArray, weight: FloatArray) -> FloatArray:
    weighted = design * weight[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ design + np.diag(penalties), weighted.T @ target))
