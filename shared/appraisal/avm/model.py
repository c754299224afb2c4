"""A trained model: its values of properties, and the data behind them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, spread, spread_mask
from shared.appraisal.avm.attribution import attribute, feature_names
from shared.appraisal.avm.ensemble import COMPONENTS, Ensemble, Evaluation
from shared.appraisal.avm.explanation import explain_property
from shared.appraisal.avm.flags import comparables_disagreement, find_flags
from shared.appraisal.avm.holdout import HeldOut, carried_log_factor
from shared.appraisal.avm.parameters import DEVIATIONS_PER_MEAN
from shared.appraisal.avm.results import (
    Appraisal,
    Comparables,
    Component,
    Contributions,
    Exclusion,
    HoldOut,
    Refusal,
    Valuations,
)
from shared.appraisal.avm.selection import Selection
from shared.appraisal.columns import Characteristics
from shared.appraisal.conformal import ErrorModel
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.hedonic import HedonicModel
from shared.appraisal.models import Predictions
from shared.appraisal.parameters import DAYS_PER_YEAR, MAX_EXTRAPOLATION_YEARS
from shared.appraisal.time_trend import TimeTrend

NAME = "reconciled_avm"
_BATCH_SIZE = 8192
_THREADS = 2


@dataclass(frozen=True)
class TrainedModel:
    """One county's model for one valuation day. It satisfies `models.Model`.

    `error_growth` is by how many log points a year its errors grow as it ages (see `holdout.error_growth`).
    """

    ensemble: Ensemble
    selection: Selection
    held_out: HeldOut
    errors: ErrorModel
    difficulty_p95: FloatArray
    seed: int
    error_growth: float = 0.0

    name = NAME

    @property
    def valuation_day(self) -> int:
        """The day (ordinal) as of which it values."""
        return self.ensemble.comparables.valuation_day

    @property
    def features(self) -> tuple[str, ...]:
        """The features under which contributions are reported."""
        return feature_names(self.ensemble)

    @property
    def rows(self) -> IntArray:
        """The positions, in the sales given to `train`, of those it is made of."""
        return self.selection.rows

    @property
    def excluded(self) -> Mapping[Exclusion, IntArray]:
        """The positions of the other sales, by reason."""
        return self.selection.excluded

    @property
    def weights(self) -> Mapping[Component, float]:
        """Each component's share of the reconciled log value; they sum to 1."""
        shares = self.ensemble.reconciliation.weights
        return {name: float(share) for name, share in zip(COMPONENTS, shares, strict=True)}

    @property
    def hedonic(self) -> HedonicModel:
        """The regression among its components."""
        return self.ensemble.comparables.hedonic

    @property
    def trend(self) -> TimeTrend:
        """The price trend that prices were carried to the valuation day with."""
        return self.hedonic.trend

    @cached_property
    def holdout(self) -> HoldOut:
        """Its accuracy on sales it had not seen."""
        held_out = self.held_out
        estimate = np.exp(held_out.log_value)
        low, high = self.errors.bounds(held_out.difficulty)
        return HoldOut(
            protocol=held_out.protocol,
            folds=held_out.folds,
            rows=held_out.rows,
            estimate=estimate,
            low=estimate * low,
            high=estimate * high,
            price=np.exp(held_out.log_price),
            components={name: np.exp(held_out.log_values[:, column]) for column, name in enumerate(COMPONENTS)},
        )

    def predict(self, subjects: Characteristics, on: int | None = None) -> Predictions:
        """Estimates with intervals and contributions; NaN for a subject that it cannot value.

        `on` is the day to carry the value to by the trend, by default the valuation day. Raises AppraisalInputError
        for a day before the first sale, or more than a year after the last.
        """
        return self.value(subjects, on).predictions

    def contributions(self, subjects: Characteristics, on: int | None = None) -> Contributions:
        """The contribution of each feature to the estimates, in dollars; see `predict` for `on`."""
        return self.value(subjects, on).contributions

    def value(self, subjects: Characteristics, on: int | None = None) -> Valuations:
        """Values of the subjects with everything that explains them; see `predict` for `on`."""
        carried = self._carried(on)
        if len(subjects) <= _BATCH_SIZE:
            return self._value(subjects, on, carried)
        starts = range(0, len(subjects), _BATCH_SIZE)
        chunks = (subjects.take(np.arange(start, min(start + _BATCH_SIZE, len(subjects)))) for start in starts)
        # Nearly all of the time is spent where NumPy and XGBoost let other threads run.
        with ThreadPoolExecutor(_THREADS) as pool:
            return joined(list(pool.map(lambda chunk: self._value(chunk, on, carried), chunks)))

    def explain(self, subject: Characteristics, on: int | None = None) -> Appraisal:
        """One property's value in full; see `predict` for `on`.

        Raises AppraisalInputError for one that has no value, naming what it lacks.
        """
        if len(subject) != 1:
            raise AppraisalInputError("subject", f"must be one property, not {len(subject)}")
        return explain_property(self.ensemble, self.value(subject, on), subject, self.weights, on)

    def _value(self, subjects: Characteristics, on: int | None, carried: float) -> Valuations:
        able = np.flatnonzero(self.ensemble.can_value(subjects))
        fit = subjects.take(able)
        evaluation = self.ensemble.evaluate(fit)
        log_value = evaluation.log_value + carried
        extra = self._extra_error(on)
        low, high = self.errors.bounds(evaluation.difficulty, extra)
        estimate = np.exp(log_value)
        size = len(subjects)
        base, names, dollars = attribute(self.ensemble, evaluation, carried)
        contributions = Contributions(base, names, spread(dollars, able, size))
        predictions = Predictions(
            estimate=spread(estimate, able, size),
            low=spread(estimate * low, able, size),
            high=spread(estimate * high, able, size),
            confidence=spread(self.errors.share_within(evaluation.difficulty, extra), able, size),
            contributions={"base": spread(np.full(able.size, base), able, size)}
            | {name: contributions.dollars[:, column] for column, name in enumerate(names)},
        )
        day = self.valuation_day if on is None else on
        return Valuations(
            predictions=predictions,
            contributions=contributions,
            comparables=self._comparables(evaluation, able, size, carried),
            components={
                name: spread(np.exp(evaluation.log_values[:, column] + carried), able, size)
                for column, name in enumerate(COMPONENTS)
            },
            flags={
                code: spread_mask(mask, able, size)
                for code, mask in {
                    **find_flags(self.ensemble, fit, evaluation, self.difficulty_p95, day),
                    **comparables_disagreement(
                        evaluation.comparables.adjusted * np.exp(carried),
                        evaluation.comparables.estimate * np.exp(carried),
                        estimate,
                        estimate * low,
                        estimate * high,
                    ),
                }.items()
            },
            refused=self._refused(subjects),
        )

    def _comparables(self, evaluation: Evaluation, able: IntArray, size: int, carried: float) -> Comparables:
        comparables = evaluation.comparables
        order = np.argsort(-comparables.weight, axis=1, kind="stable")
        rows = np.full((size, comparables.rows.shape[1]), -1, dtype=np.int64)
        rows[able] = self.selection.rows[self.ensemble.comparables.rows][
            np.take_along_axis(comparables.rows, order, axis=1)
        ]
        adjusted = np.take_along_axis(comparables.adjusted, order, axis=1) * np.exp(carried)
        weight = np.take_along_axis(comparables.weight, order, axis=1)
        return Comparables(rows, spread(adjusted, able, size), spread(weight, able, size))

    def _refused(self, subjects: Characteristics) -> dict[Refusal, BoolArray]:
        area = subjects.living_area_sqft
        no_area = ~(np.isfinite(area) & (area > 0))
        return {"no_living_area": no_area, "no_place": ~self.ensemble.can_value(subjects) & ~no_area}

    def _carried(self, on: int | None) -> float:
        """The log factor from the valuation day to another."""
        if on is None or on == self.valuation_day:
            return 0.0
        trend = self.trend
        if on < trend.first_day:
            raise AppraisalInputError("on", "the day is before the first sale that the model is made of")
        if on > trend.last_day + MAX_EXTRAPOLATION_YEARS * 365:
            raise AppraisalInputError("on", "the day is more than a year after the last sale that the model is made of")
        return float(carried_log_factor(self.ensemble, np.array([float(on)]))[0])

    def widening(self, on: int) -> float:
        """The relative widening of a typical interval from the valuation day to another day, in log points."""
        typical = np.median(self.held_out.difficulty, axis=0)[None, :]
        widths = []
        for extra in (self._extra_error(on), self._extra_error(None)):
            low, high = self.errors.bounds(typical, extra)
            widths.append(float(np.log(high[0] / low[0])))
        return widths[0] / widths[1] - 1.0 if widths[1] > 0 else 0.0

    def _extra_error(self, on: int | None) -> float:
        """The log error of age beyond the one that the held-out sales' errors have in them already.

        Those lie some way ahead of their models' last sales too; only what is carried further adds to the error: what
        the trend's random walk gathers, or what the county's own hold-out lost with age, whichever is more.
        """
        trend = self.trend
        holdout_day = trend.last_day + round(self.held_out.days_ahead)
        day = max(self.valuation_day if on is None else on, holdout_day)
        reach = [float(trend.standard_error([float(trend.last_day)], ahead)[0]) for ahead in (day, holdout_day)]
        walked = float(np.sqrt(max(reach[0] ** 2 - reach[1] ** 2, 0.0)))
        lost = DEVIATIONS_PER_MEAN * self.error_growth * (day - holdout_day) / DAYS_PER_YEAR
        return max(walked, lost)


def joined(parts: list[Valuations]) -> Valuations:
    """Valuations of consecutive subjects as one."""
    first = parts[0]

    def rows(read: list[FloatArray]) -> FloatArray:
        return np.concatenate(read)

    contributions = Contributions(
        first.contributions.base, first.contributions.names, rows([part.contributions.dollars for part in parts])
    )
    return Valuations(
        predictions=Predictions(
            **{
                name: rows([getattr(part.predictions, name) for part in parts])
                for name in ("estimate", "low", "high", "confidence")
            },
            contributions={
                name: rows([part.predictions.contributions[name] for part in parts])
                for name in first.predictions.contributions
            },
        ),
        contributions=contributions,
        comparables=Comparables(
            *(
                np.concatenate([getattr(part.comparables, name) for part in parts])
                for name in ("rows", "adjusted_price", "weight")
            )
        ),
        components={name: rows([part.components[name] for part in parts]) for name in first.components},
        flags={code: np.concatenate([part.flags[code] for part in parts]) for code in first.flags},
        refused={reason: np.concatenate([part.refused[reason] for part in parts]) for reason in first.refused},
    )
