"""Valid sales far from their values by a model that did not see their prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functions.sales_validation.domain.parameters import MAD_TO_DEVIATION, MIN_RESIDUAL_SCALE
from functions.sales_validation.domain.sale_records import RaisedFlag
from shared.appraisal.arrays import FloatArray
from shared.appraisal.comparables import cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import MAX_SALES_FOR_MODEL
from shared.evidence import Evidence
from shared.progress import ReportProgress


@dataclass(frozen=True)
class ModelComparison:
    """Each valid sale's value as of its day (NaN without one) and its residual in robust deviations.

    `notes` name the sales that could not be tested, and why.
    """

    value: FloatArray
    deviations: FloatArray
    notes: tuple[str, ...]

    @property
    def sales(self) -> int:
        """The number of sales tested."""
        return int(np.isfinite(self.deviations).sum())

    def values_by_sale(self, evidence: Evidence) -> dict[str, float]:
        """The values by sale id, where there are any."""
        return {evidence.sale_ids[row]: float(self.value[row]) for row in np.flatnonzero(np.isfinite(self.value))}


def compare_with_model(evidence: Evidence, progress: ReportProgress) -> ModelComparison:
    """Value each class's sales by comparable sales without their own prices, and measure their residuals."""
    value = np.full(len(evidence), np.nan)
    deviations = np.full(len(evidence), np.nan)
    notes = []
    classes = np.unique(evidence.property_class)
    for number, property_class in enumerate(classes):
        name = str(property_class) or "no class"
        progress(number, len(classes), f"valuing sales of {name}")
        class_rows = np.flatnonzero(evidence.property_class == property_class)
        rows = class_rows[-MAX_SALES_FOR_MODEL:]  # the latest: what the model would leave out lies outside its trend
        sales = evidence.sales.take(rows)
        valuation_day = int(sales.sale_day.max()) + 1
        try:
            model = fit_comparables(sales, valuation_day)
            current_value = cross_values(sales, model)
        except AppraisalInputError as error:
            notes.append(f"Sales of {name} are not tested against a model: {error.problem}.")
            continue
        value[rows] = current_value / model.hedonic.trend.factor(sales.sale_day.astype(np.float64))
        deviations[rows] = robust_deviations(sales.sale_price, value[rows])
        untested = int((~np.isfinite(deviations[class_rows])).sum())
        if untested:
            notes.append(f"{untested} sales of {name} have no value to be tested against.")
    progress(len(classes), len(classes), "sales tested")
    return ModelComparison(value, deviations, tuple(notes))


def robust_deviations(price: FloatArray, value: FloatArray) -> FloatArray:
    """log(price / value) about its median, in median absolute deviations scaled to a normal's; NaN without."""
    known = np.isfinite(value) & (value > 0) & (price > 0)
    residual = np.full(price.size, np.nan)
    residual[known] = np.log(price[known] / value[known])
    if not known.any():
        return residual
    residual -= np.median(residual[known])
    scale = MAD_TO_DEVIATION * float(np.median(np.abs(residual[known])))
    return residual / max(scale, MIN_RESIDUAL_SCALE)


def outliers(evidence: Evidence, comparison: ModelComparison, deviations: float) -> Iterator[RaisedFlag]:
    """Flag sales whose residual is `deviations` robust deviations or more."""
    for row in np.flatnonzero(np.abs(comparison.deviations) >= deviations):
        price, value = evidence.sales.sale_price[row], comparison.value[row]
        distance = abs(comparison.deviations[row])
        yield RaisedFlag(
            evidence.sale_ids[row],
            "model_outlier",
            f"The price of ${price:,.0f} is {price / value:.2f} times the value of ${value:,.0f} by comparable sales,"
            f" {distance:.1f} robust deviations away.",
        )
