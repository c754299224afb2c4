"""The values that a ratio study tests, and the prices it tests them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.time_trend import fit_time_trend
from shared.evidence import Evidence

_MARGIN_DAYS = 365
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class Values:
    """An estimate (NaN where there is none) and a price for each sale of the evidence.

    `missing` is the reason under which sales without an estimate are counted.
    """

    estimate: FloatArray
    price: FloatArray
    missing: str


def known_values(
    evidence: Evidence, estimate: FloatArray, in_period: BoolArray, adjust_to: date | None, missing: str
) -> Values:
    """Values that stand already, one a sale. With `adjust_to`, prices of the period are carried to that day.

    The trend is that of price over value: what the market did while the values stood still (the sales ratio trend of
    IAAO's Fundamentals of Mass Appraisal). Sales on both sides of the day tell it, since no value depends on it: those
    of the period and of the time between it and the day, and of a year on either side.
    """
    price = evidence.sales.sale_price
    known = np.isfinite(estimate) & (estimate > 0) & (price > 0)
    if adjust_to is None or not in_period.any():
        return Values(estimate, price, missing)
    day, to_day = evidence.sales.sale_day, adjust_to.toordinal()
    first, last = min(int(day[in_period].min()), to_day), max(int(day[in_period].max()), to_day)
    telling = known & (day >= first - _MARGIN_DAYS) & (day <= last + _MARGIN_DAYS)
    end = max(to_day, int(day[telling].max(initial=to_day)) + 1)
    trend = fit_time_trend(day[telling], np.log(price[telling] / estimate[telling]), end)
    carried = known & in_period
    adjusted = np.where(carried, price, np.nan)
    adjusted[carried] *= trend.factor(day[carried], to_day)
    return Values(estimate, adjusted, missing)


def model_values(evidence: Evidence, in_period: BoolArray, on: date, adjust: bool, progress: Progress) -> Values:
    """Values by comparable sales as of `on`, each found without the sale's own price.

    Each property class has a model of its own; a class whose sales before `on` are too few, too old or all of one price
    has no values. Raises AppraisalInputError when that is so for every class.
    """
    estimate = np.full(len(evidence), np.nan)
    price = evidence.sales.sale_price.copy()
    classes = np.unique(evidence.property_class[in_period])
    refused: AppraisalInputError | None = None
    valued = 0
    for number, property_class in enumerate(classes):
        progress(number, len(classes), f"valuing {property_class or 'properties without a class'}")
        rows = np.flatnonzero(evidence.property_class == property_class)
        sales = evidence.sales.take(rows)
        try:
            model = fit_comparables(sales, on.toordinal())
            estimate[rows] = cross_values(sales, model)
        except AppraisalInputError as error:
            refused = error
            continue
        valued += 1
        tested = rows[in_period[rows]]
        if adjust:
            price[tested] *= model.hedonic.trend.factor(evidence.sales.sale_day[tested].astype(np.float64))
    progress(len(classes), len(classes), "values found")
    if refused is not None and not valued:
        raise refused
    return Values(estimate, price, "no_model_value")
