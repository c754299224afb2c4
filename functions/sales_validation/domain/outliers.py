"""Which valid sales lie far from what a model, that did not see their price, says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from functions.sales_validation.repository.validation import FoundFlag
from shared.appraisal.arrays import FloatArray
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.hedonic import MOST_SALES
from shared.evidence import Evidence

Progress = Callable[[int, int | None, str], None]
SMALLEST_SCALE = 0.05
"""Robust deviations are not taken for less than this (in log points): where nearly all prices agree with the model
to a few percent, a sale six percent away is no outlier."""
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class Tested:
    """Each valid sale's value as of its day (NaN without one) and its residual in robust deviations.

    `notes` say which sales could not be tested, and why.
    """

    value: FloatArray
    deviations: FloatArray
    notes: tuple[str, ...]

    @property
    def sales(self) -> int:
        """How many sales were tested."""
        return int(np.isfinite(self.deviations).sum())

    def by_sale(self, evidence: Evidence) -> dict[str, float]:
        """The values by sale id, where there are any."""
        return {evidence.sale_ids[row]: float(self.value[row]) for row in np.flatnonzero(np.isfinite(self.value))}


def compare_with_model(evidence: Evidence, progress: Progress) -> Tested:
    """Value each class's sales by comparable sales without their own prices, and measure how far they are off."""
    value = np.full(len(evidence), np.nan)
    deviations = np.full(len(evidence), np.nan)
    notes = []
    classes = np.unique(evidence.property_class)
    for number, property_class in enumerate(classes):
        name = str(property_class) or "no class"
        progress(number, len(classes), f"valuing sales of {name}")
        of_class = np.flatnonzero(evidence.property_class == property_class)
        rows = of_class[-MOST_SALES:]  # the latest: what the model would leave out lies outside its trend
        sales = evidence.sales.take(rows)
        on = int(sales.sale_day.max()) + 1
        try:
            model = fit_comparables(sales, on)
            today = cross_values(sales, model)
        except AppraisalInputError as error:
            notes.append(f"Sales of {name} are not tested against a model: {error.problem}.")
            continue
        value[rows] = today / model.hedonic.trend.factor(sales.sale_day.astype(np.float64))
        deviations[rows] = robust_deviations(sales.sale_price, value[rows])
        missing = int((~np.isfinite(deviations[of_class])).sum())
        if missing:
            notes.append(f"{missing} sales of {name} have no value to be tested against.")
    progress(len(classes), len(classes), "sales tested")
    return Tested(value, deviations, tuple(notes))


def robust_deviations(price: FloatArray, value: FloatArray) -> FloatArray:
    """log(price / value) about its median, in median absolute deviations scaled to a normal's deviation; NaN without.

    Source of the scale: Huber, Robust Statistics, section 5.1.
    """
    known = np.isfinite(value) & (value > 0) & (price > 0)
    residual = np.full(price.size, np.nan)
    residual[known] = np.log(price[known] / value[known])
    if not known.any():
        return residual
    residual -= np.median(residual[known])
    scale = _MAD_TO_DEVIATION * float(np.median(np.abs(residual[known])))
    return residual / max(scale, SMALLEST_SCALE)


def outliers(evidence: Evidence, tested: Tested, deviations: float) -> Iterator[FoundFlag]:
    """Sales whose residual is `deviations` robust deviations or more."""
    for row in np.flatnonzero(np.abs(tested.deviations) >= deviations):
        price, value = evidence.sales.sale_price[row], tested.value[row]
        away = abs(tested.deviations[row])
        yield FoundFlag(
            evidence.sale_ids[row],
            "model_outlier",
            f"The price of ${price:,.0f} is {price / value:.2f} times the value of ${value:,.0f} by comparable sales,"
            f" {away:.1f} robust deviations away.",
        )
