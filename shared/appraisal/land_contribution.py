"""Land's share of a property's value by the contributions of land and buildings to prices, without land appraisals.

A price is taken as that of a site and that of what stands on it, which add up:

    site      = place * (s0 + s1 * sqrt(land area))
    building  = place * quality * living area * (b0 + b1 * exp(-age / 40 years))

`place` and `quality` are the hedonic regression's own effects: of location and neighborhood, and of every
characteristic other than size, age and place. A better place raises both parts, as it does in the prices; so the share
is told by the areas, the age and the quality. What a price keeps where the building shrinks to nothing is the site's.
The four rates are the non-negative least squares of the relative errors of time-adjusted prices (the contribution of
land by regression; IAAO, Standard on Mass Appraisal of Real Property, on land valuation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.hedonic import LOCATION, HedonicModel
from shared.appraisal.parameters import BUILDING_LIFE_YEARS, DAYS_PER_YEAR, MAX_LAND_ERROR, MIN_SALES_FOR_LAND

_PLACE = (LOCATION, "neighborhood")
_MEASURED = ("living_area", "land_area", "age")
_RATES = 4


@dataclass(frozen=True)
class LandContribution:
    """The four rates (dollars at the valuation day): of a site, of the root of its area, of a building, of a new one.

    `typical_error` is the median relative error that they leave.
    """

    rates: tuple[float, float, float, float]
    typical_error: float

    def shares(self, hedonic: HedonicModel, properties: Characteristics, day: int) -> FloatArray:
        """The land's share (0 to 1) of each property's value; NaN where land or living area is unknown. Shape (n,)."""
        on = np.full(len(properties), float(day))
        effects, _ = hedonic.contributions(properties, on)
        parts = _columns(hedonic, effects, properties, on) * np.array(self.rates)
        site, whole = parts[:, :2].sum(axis=1), parts.sum(axis=1)
        return np.where(whole > 0, site / np.where(whole > 0, whole, 1.0), np.nan)


def fit_land_contribution(hedonic: HedonicModel, sales: Sales) -> LandContribution | None:
    """The rates that a county's sales (those the regression was fitted on) tell.

    None where they tell none: too few sales with both areas, a site or a building that adds nothing, or rates that
    leave more than 30 % of error in the middle sale.
    """
    day = sales.sale_day.astype(np.float64)
    price = sales.sale_price * hedonic.trend.factor(day)
    effects, _ = hedonic.contributions(sales.characteristics, day)
    effects[:, hedonic.names.index(LOCATION)] = (
        hedonic.leave_one_out_location
    )  # else a place would know its own sale's price
    columns = _columns(hedonic, effects, sales.characteristics, day) / price[:, None]
    known = np.isfinite(columns).all(axis=1)
    if known.sum() < MIN_SALES_FOR_LAND:
        return None
    rates = _non_negative(columns[known])
    if rates[:2].sum() <= 0 or rates[2:].sum() <= 0:
        return None
    error = float(np.median(np.abs(columns[known] @ rates - 1.0)))
    site, area, building, new = (float(rate) for rate in rates)
    return LandContribution((site, area, building, new), error) if error <= MAX_LAND_ERROR else None


def _columns(hedonic: HedonicModel, effects: FloatArray, properties: Characteristics, day: FloatArray) -> FloatArray:
    """The factor of each rate; shape (n, 4), NaN where an area is unknown."""
    of_place = np.array([name in _PLACE for name in hedonic.names])
    measured = np.array([name in _MEASURED for name in hedonic.names])
    location, quality = np.exp(effects[:, of_place].sum(axis=1)), np.exp(effects[:, ~of_place & ~measured].sum(axis=1))
    land = np.where(properties.land_area_sqft > 0, properties.land_area_sqft, np.nan)
    living = np.where(properties.living_area_sqft > 0, properties.living_area_sqft, np.nan)
    building = location * quality * living
    # an unknown year is that of a building in the middle of its life
    age = np.maximum(day / DAYS_PER_YEAR + 1.0 - properties.year_built, 0.0)
    remaining = np.exp(-np.where(np.isfinite(age), age, BUILDING_LIFE_YEARS) / BUILDING_LIFE_YEARS)
    return np.column_stack([location + 0.0 * land, location * np.sqrt(land), building, building * remaining])


def _non_negative(columns: FloatArray) -> FloatArray:
    """The non-negative rates whose products add up to 1 as closely as they can: the best of every choice of columns."""
    gram, moment = columns.T @ columns, columns.sum(axis=0)
    best, smallest = np.zeros(_RATES), np.inf
    for size in range(1, _RATES + 1):
        for chosen in combinations(range(_RATES), size):
            rates = np.zeros(_RATES)
            rates[list(chosen)] = np.linalg.lstsq(gram[np.ix_(chosen, chosen)], moment[list(chosen)], rcond=None)[0]
            loss = float(rates @ gram @ rates - 2.0 * rates @ moment)
            if (rates >= 0).all() and loss < smallest:
                best, smallest = rates, loss
    return best
