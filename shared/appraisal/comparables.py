"""Value by adjusted comparable sales.

The most similar sales of the county are each adjusted to the subject (first for time, then for location and each
characteristic) with the differences that the hedonic regression finds, and reconciled as a weighted mean. The
interval comes from the errors this very procedure makes on past sales that were kept out of a first fit.

Only sales strictly before the valuation day are used, for the regression, the trend and as comparables. An earlier
sale of the subject itself is an ordinary comparable. To test the model on a sale, fit it without that sale
(`cross_values` does so for all of them): then its price enters nothing that values it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray, spread
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.conformal import ErrorModel, fit_errors
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.hedonic import HedonicModel, LeaveOneOut, fit_hedonic, usable_for_fit
from shared.appraisal.models import Predictions
from shared.appraisal.parameters import (
    CALIBRATION_SPACING,
    COMPARABLES,
    CROSS_FITTING_FOLDS,
    DAYS_PER_YEAR,
    DIFFICULTY_QUANTILE,
    MAX_CALIBRATION_SALES,
    MAX_SALES_FOR_MODEL,
    MAX_TUNING_SALES,
    MIN_CALIBRATION_SALES,
    MIN_SALES_FOR_MODEL,
    OUTLIER_DEVIATIONS,
    SIMILARITY_LENGTHS_KM,
)
from shared.appraisal.similarity import Neighbours, Similarity, Traits

TIME = "time"
METHOD = "comparable_sales"
_BATCH_SIZE = 128


@dataclass(frozen=True)
class Reconciled:
    """Comparables of n subjects, k each. Shapes: (n, k); `steps` (n, k, names) in log points; the rest (n,).

    `weight` sums to 1 over a subject's comparables; `difficulty` is what the interval's width depends on.
    """

    rows: IntArray
    distance: FloatArray
    steps: FloatArray
    adjusted: FloatArray
    weight: FloatArray
    estimate: FloatArray
    difficulty: FloatArray


@dataclass(frozen=True)
class ComparableSales:
    """The fitted model of one county and valuation day. It satisfies `models.Model`.

    `rows` are the positions, in the sales given to `fit_comparables`, of the sales it uses. `difficulty_p95`
    is the 95th percentile of past sales' difficulty.
    """

    sales: Sales
    rows: IntArray
    hedonic: HedonicModel
    similarity: Similarity
    contributions: FloatArray
    errors: ErrorModel
    valuation_day: int
    difficulty_p95: FloatArray
    neighborhoods: TextArray

    name = METHOD

    @property
    def adjustment_names(self) -> tuple[str, ...]:
        """The steps from a sale's price to its adjusted price, in order."""
        return (TIME, *self.hedonic.names)

    @property
    def extra_error(self) -> float:
        """The log error of carrying prices from the last sale to the valuation day."""
        return float(self.hedonic.trend.standard_error([float(self.hedonic.trend.last_day)])[0])

    def predict(self, subjects: Characteristics) -> Predictions:
        """Value the subjects; NaN for those that lack a living area, or both coordinates and a neighborhood."""
        able = self.can_value(subjects)
        positions = np.flatnonzero(able)
        reconciled = self.reconcile(subjects.take(positions))
        low, high = self.errors.bounds(reconciled.difficulty, self.extra_error)
        filled = {
            "estimate": reconciled.estimate,
            "low": reconciled.estimate * low,
            "high": reconciled.estimate * high,
            "confidence": self.errors.share_within(reconciled.difficulty, self.extra_error),
        }
        contributions = self._contributions(reconciled)
        return Predictions(
            **{name: spread(values, positions, len(subjects)) for name, values in filled.items()},
            contributions={name: spread(values, positions, len(subjects)) for name, values in contributions.items()},
        )

    def values(self, subjects: Characteristics) -> FloatArray:
        """The estimates alone; NaN as in `predict`."""
        positions = np.flatnonzero(self.can_value(subjects))
        return spread(self.reconcile(subjects.take(positions)).estimate, positions, len(subjects))

    def can_value(self, subjects: Characteristics) -> BoolArray:
        """Mask of the subjects with a living area, and coordinates or a known neighborhood, as a value needs.

        In a county whose sales have neither, no place is asked of a subject.
        """
        area = subjects.living_area_sqft
        placed = subjects.located | (_numbered(subjects.neighborhood, self.neighborhoods) >= 0)
        placed |= not self.sales.characteristics.located.any() and self.neighborhoods.size == 0
        return np.asarray(np.isfinite(area) & (area > 0) & placed)

    def reconcile(self, subjects: Characteristics) -> Reconciled:
        """Choose, adjust and weigh the comparables of subjects that `can_value` accepts."""
        parts = [
            self._reconcile(subjects.take(np.arange(start, min(start + _BATCH_SIZE, len(subjects)))))
            for start in range(0, max(len(subjects), 1), _BATCH_SIZE)
        ]
        return _joined(parts)

    def leave_one_out(self, rows: IntArray, without: LeaveOneOut) -> Reconciled:
        """The reconciled comparables of some of the model's own sales, each without itself among them and in the
        regression that adjusts them.
        """
        parts = [
            self._leave_one_out(rows[start : start + _BATCH_SIZE], without)
            for start in range(0, len(rows), _BATCH_SIZE)
        ]
        return _joined(parts)

    def _leave_one_out(self, rows: IntArray, without: LeaveOneOut) -> Reconciled:
        traits = replace(self.similarity.sales.take(rows), years=np.zeros(len(rows)))
        near = self.similarity.nearest(traits, COMPARABLES + 1)
        own = near.rows == rows[:, None]
        # A sale with enough twins may not be among its own nearest: then the last one goes.
        own[~own.any(axis=1), -1] = True
        shape = (len(rows), near.rows.shape[1] - 1)
        others = Neighbours(near.rows[~own].reshape(shape), near.distance[~own].reshape(shape))
        steps = self._steps(self.contributions[rows], others.rows, self.sales.characteristics.located[rows])
        steps[:, :, 1:] -= without.differences(rows, others.rows)
        return self._adjusted(steps, others)

    def _reconcile(self, subjects: Characteristics) -> Reconciled:
        day = np.full(len(subjects), float(self.valuation_day))
        contributions, inside = self.hedonic.contributions(subjects, day)
        numbers = _numbered(subjects.neighborhood, self.neighborhoods)
        traits = _traits(self.hedonic, subjects, contributions, (self.valuation_day - day) / DAYS_PER_YEAR, numbers)
        near = self.similarity.nearest(traits, COMPARABLES)
        return self._adjusted(self._steps(contributions, near.rows, subjects.located & inside), near)

    def _adjusted(self, steps: FloatArray, near: Neighbours) -> Reconciled:
        adjusted = self.sales.sale_price[near.rows] * np.exp(steps.sum(axis=2))
        weight = self._weights(near.distance, steps, adjusted)
        estimate = (weight * adjusted).sum(axis=1)
        difficulty = _difficulty(near.distance, steps, adjusted, weight, estimate)
        return Reconciled(near.rows, near.distance, steps, adjusted, weight, estimate, difficulty)

    def _steps(self, contributions: FloatArray, rows: IntArray, placed: BoolArray) -> FloatArray:
        """Log adjustments of each comparable to its subject, by `adjustment_names`."""
        time = self._to_valuation_day[rows]
        differences = contributions[:, None, :] - self.contributions[rows]
        # Without a place on the surface no difference in location is known.
        differences[~placed, :, -1] = 0.0
        return np.concatenate([time[:, :, None], differences], axis=2)

    @cached_property
    def _to_valuation_day(self) -> FloatArray:
        return self.hedonic.trend.log_factor(self.sales.sale_day.astype(np.float64))

    def _weights(self, distance: FloatArray, steps: FloatArray, adjusted: FloatArray) -> FloatArray:
        """Comparables' weights: larger for nearer, less adjusted ones, smaller for outliers."""
        furthest = np.maximum(distance.max(axis=1, keepdims=True), 1e-9)
        near = np.exp(-0.5 * (distance / furthest) ** 2)
        gross = np.abs(steps).sum(axis=2)
        log_adjusted = np.log(adjusted)
        away = np.abs(log_adjusted - np.median(log_adjusted, axis=1, keepdims=True))
        outlier = np.maximum(1.0, away / (OUTLIER_DEVIATIONS * self.hedonic.scale))
        weight = near / (1.0 + gross) / outlier
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def _contributions(self, reconciled: Reconciled) -> dict[str, FloatArray]:
        """The weighted mean price of the comparables and of each adjustment, in dollars."""
        price = self.sales.sale_price[reconciled.rows]
        running = price[:, :, None] * np.exp(np.cumsum(reconciled.steps, axis=2))
        before = np.concatenate([price[:, :, None], running[:, :, :-1]], axis=2)
        dollars = np.einsum("nk,nkg->ng", reconciled.weight, running - before)
        named = {name: dollars[:, number] for number, name in enumerate(self.adjustment_names)}
        return {"comparable_prices": (reconciled.weight * price).sum(axis=1), **named}


def fit_comparables(sales: Sales, valuation_day: int) -> ComparableSales:
    """Fit the county's model for a valuation day, with its sales strictly before it.

    Sales on or after the day, without a price or without a living area are excluded; of very many the latest
    60,000 are used. Raises InsufficientSalesError when fewer than 50 remain, AppraisalInputError for a valuation
    day more than a year after the last of them, and where they all have one price.
    """
    rows = np.flatnonzero(usable_for_fit(sales, valuation_day))
    if rows.size < MIN_SALES_FOR_MODEL:
        raise InsufficientSalesError("sales", int(rows.size), MIN_SALES_FOR_MODEL, "a value by comparable sales")
    if rows.size > MAX_SALES_FOR_MODEL:
        latest = np.argsort(-sales.sale_day[rows], kind="stable")[:MAX_SALES_FOR_MODEL]
        rows = np.sort(rows[latest])
    used = sales.take(rows)
    if np.ptp(used.sale_price) == 0.0:
        raise AppraisalInputError("sale_price", f"all {rows.size} sales have the same price, which explains nothing")
    trial, kept_out = _trial(used, valuation_day)
    similarity = _tuned(trial, kept_out)
    errors, difficulty = _errors_on(replace(trial, similarity=similarity), kept_out)
    model = _uncalibrated(used, rows.astype(np.int64), valuation_day)
    return replace(
        model,
        similarity=model.similarity.with_length(similarity.length_km),
        errors=fit_errors(errors, difficulty),
        difficulty_p95=np.quantile(difficulty, DIFFICULTY_QUANTILE, axis=0),
    )


def cross_values(sales: Sales, model: ComparableSales, folds: int = CROSS_FITTING_FOLDS) -> FloatArray:
    """The value of each sale's property as of the model's valuation day, its own price not used; shape (n,).

    A sale that the model was fitted on is valued by a model fitted without it and the rest of its fold (the sales
    are dealt into `folds` by day, so that each fold covers the whole period); every other sale by `model` itself.
    NaN where there is no value. Raises InsufficientSalesError when the folds leave too few sales to fit on.
    """
    values = np.full(len(sales), np.nan)
    outside = np.setdiff1d(np.arange(len(sales)), model.rows)
    values[outside] = model.predict(sales.characteristics.take(outside)).estimate
    dealt = model.rows[np.argsort(sales.sale_day[model.rows], kind="stable")]
    for fold in range(folds):
        held_out = dealt[fold::folds]
        training = np.setdiff1d(model.rows, held_out)
        part = _uncalibrated(sales.take(training), training, model.valuation_day)
        part = replace(part, similarity=part.similarity.with_length(model.similarity.length_km))
        values[held_out] = part.values(sales.characteristics.take(held_out))
    return values


def _trial(used: Sales, valuation_day: int) -> tuple[ComparableSales, Sales]:
    """A model fitted without some sales of the whole period, and those sales."""
    by_day = np.argsort(used.sale_day, kind="stable")
    every = max(CALIBRATION_SPACING, len(used) // MAX_CALIBRATION_SALES)
    # The first and the last sale stay, so that the trend covers the period.
    kept_out = by_day[every // 2 : -1 : every]
    training = np.setdiff1d(np.arange(len(used)), kept_out)
    return _uncalibrated(used.take(training), training, valuation_day), used.take(kept_out)


def _uncalibrated(used: Sales, rows: IntArray, valuation_day: int) -> ComparableSales:
    hedonic = fit_hedonic(used, valuation_day)
    day = used.sale_day.astype(np.float64)
    contributions, _ = hedonic.contributions(used.characteristics, day)
    contributions[:, -1] = hedonic.leave_one_out_location
    known = used.characteristics.neighborhood
    neighborhoods = np.unique(known[known != ""])
    years = (valuation_day - day) / DAYS_PER_YEAR
    traits = _traits(hedonic, used.characteristics, contributions, years, _numbered(known, neighborhoods))
    similarity = Similarity(traits, hedonic.scale, SIMILARITY_LENGTHS_KM[1])
    unknown = ErrorModel(np.zeros(0), 0.0, np.zeros(0))
    return ComparableSales(
        used, rows, hedonic, similarity, contributions, unknown, valuation_day, np.zeros(0), neighborhoods
    )


def _numbered(neighborhood: TextArray, known: TextArray) -> IntArray:
    """Each neighborhood's place among the sorted known ones, -1 where it is none of them."""
    if known.size == 0:
        return np.full(neighborhood.size, -1, dtype=np.int64)
    position = np.minimum(np.searchsorted(known, neighborhood), known.size - 1)
    return np.where(known[position] == neighborhood, position, -1).astype(np.int64)


def _traits(
    hedonic: HedonicModel,
    properties: Characteristics,
    contributions: FloatArray,
    years: FloatArray,
    neighborhood: IntArray,
) -> Traits:
    """Location and neighborhood are compared as places, not as what they add to value."""
    names = hedonic.names
    columns = [number for number, name in enumerate(names) if name not in ("location", "neighborhood")]
    position = hedonic.surface.grid.kilometres(properties.longitude, properties.latitude)
    return Traits(contributions[:, columns], position, years, neighborhood)


def _tuned(trial: ComparableSales, kept_out: Sales) -> Similarity:
    """The similarity whose length in km values the sales kept out with the smallest mean error."""
    if not trial.sales.characteristics.located.any():
        return trial.similarity
    candidates = [trial.similarity.with_length(length) for length in SIMILARITY_LENGTHS_KM]
    chosen = kept_out.take(np.arange(0, len(kept_out), max(1, len(kept_out) // MAX_TUNING_SALES)))
    errors = [
        float(np.mean(np.abs(_errors_on(replace(trial, similarity=candidate), chosen)[0]))) for candidate in candidates
    ]
    return candidates[int(np.argmin(errors))]


def _errors_on(trial: ComparableSales, kept_out: Sales) -> tuple[FloatArray, FloatArray]:
    """log(time-adjusted price / estimate) of sales the trial was not fitted on, and their difficulty."""
    valued = kept_out.take(trial.can_value(kept_out.characteristics))
    if len(valued) < MIN_CALIBRATION_SALES:
        raise InsufficientSalesError(
            "sales", len(valued), MIN_CALIBRATION_SALES, "measuring the error on sales with a place"
        )
    reconciled = trial.reconcile(valued.characteristics)
    day = valued.sale_day.astype(np.float64)
    price = np.log(valued.sale_price) + trial.hedonic.trend.log_factor(day)
    return np.asarray(price - np.log(reconciled.estimate)), reconciled.difficulty


def _difficulty(
    distance: FloatArray, steps: FloatArray, adjusted: FloatArray, weight: FloatArray, estimate: FloatArray
) -> FloatArray:
    """Dispersion of the adjusted prices, distance of the comparables, size of the adjustments; (n, 3)."""
    spread = np.sqrt((weight * np.log(adjusted / estimate[:, None]) ** 2).sum(axis=1))
    gross = (weight * np.abs(steps[:, :, 1:]).sum(axis=2)).sum(axis=1)
    return np.column_stack([spread, (weight * distance).sum(axis=1), gross])


def _joined(parts: list[Reconciled]) -> Reconciled:
    names = ("rows", "distance", "steps", "adjusted", "weight", "estimate", "difficulty")
    return Reconciled(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
