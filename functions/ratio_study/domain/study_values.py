"""The values that a ratio study tests, and the prices that it tests them with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from functions.ratio_study.domain.parameters import TREND_MARGIN_DAYS
from shared.appraisal.arrays import BoolArray, FloatArray
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.time_trend import fit_time_trend
from shared.evidence import Evidence
from shared.progress import ReportProgress


@dataclass(frozen=True)
class StudyValues:
    """An estimate (NaN where there is none) and a price for each sale of the evidence.

    `missing` is the reason under which sales without an estimate are counted.
    """

    estimate: FloatArray
    price: FloatArray
    missing: str


def stored_values(
    evidence: Evidence, estimate: FloatArray, in_period: BoolArray, adjust_to: date | None, missing: str
) -> StudyValues:
    """Values that are on record, one a sale. With `adjust_to`, prices of the period are adjusted for time to that day.

    The trend is that of price over value, the sales ratio trend of IAAO's Fundamentals of Mass Appraisal: the market's
    movement while the values stood still. No value depends on the valuation date, so sales on both sides of it
    estimate the trend: those of the period, of the time between it and the date, and of a margin on either side.
    """
    price = evidence.sales.sale_price
    known = np.isfinite(estimate) & (estimate > 0) & (price > 0)
    if adjust_to is None or not in_period.any():
        return StudyValues(estimate, price, missing)
    day, to_day = evidence.sales.sale_day, adjust_to.toordinal()
    first, last = min(int(day[in_period].min()), to_day), max(int(day[in_period].max()), to_day)
    in_trend = known & (day >= first - TREND_MARGIN_DAYS) & (day <= last + TREND_MARGIN_DAYS)
    end = max(to_day, int(day[in_trend].max(initial=to_day)) + 1)
    trend = fit_time_trend(day[in_trend], np.log(price[in_trend] / estimate[in_trend]), end)
    studied = known & in_period
    adjusted = np.where(studied, price, np.nan)
    adjusted[studied] *= trend.factor(day[studied], to_day)
    return StudyValues(estimate, adjusted, missing)


def model_values(
    evidence: Evidence, in_period: BoolArray, valuation_date: date, adjust: bool, progress: ReportProgress
) -> StudyValues:
    """Values by comparable sales as of the valuation date, each estimated without the sale's own price.

    `in_period` are the sales to be studied, `adjust` carries their prices to the valuation date. Each property class
    has a model of its own; a class whose earlier sales are too few, too old or all of one price has no values.
    Raises AppraisalInputError when that is so for every class.
    """
    estimate = np.full(len(evidence), np.nan)
    price = evidence.sales.sale_price.copy()
    classes = np.unique(evidence.property_class[in_period])
    last_error: AppraisalInputError | None = None
    valued_classes = 0
    for number, property_class in enumerate(classes):
        progress(number, len(classes), f"valuing {property_class or 'properties without a class'}")
        rows = np.flatnonzero(evidence.property_class == property_class)
        sales = evidence.sales.take(rows)
        try:
            model = fit_comparables(sales, valuation_date.toordinal())
            estimate[rows] = cross_values(sales, model)
        except AppraisalInputError as error:
            last_error = error
            continue
        valued_classes += 1
        studied = rows[in_period[rows]]
        if adjust:
            price[studied] *= model.hedonic.trend.factor(evidence.sales.sale_day[studied].astype(np.float64))
    progress(len(classes), len(classes), "values found")
    if last_error is not None and not valued_classes:
        raise last_error
    return StudyValues(estimate, price, "no_model_value")
