"""The four models fitted for one valuation day, and their reconciliation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.avm.boosting import BoostedTrees, fit_trees_and_folds
from shared.appraisal.avm.network import Network, fit_network_and_folds
from shared.appraisal.avm.network_inputs import NetworkInputs, SingleArray, learn_inputs
from shared.appraisal.avm.parameters import MAX_OOF_SALES, PRIOR_WEIGHTS, TYPICAL_QUANTILES
from shared.appraisal.avm.predictors import Decomposition, Predictors, learn_predictors
from shared.appraisal.avm.reconciliation import Reconciliation, best_weights, fit_reconciliation
from shared.appraisal.avm.results import Component
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.comparables import ComparableSales, Reconciled, fit_comparables
from shared.appraisal.features import Features, Number

COMPONENTS: tuple[Component, ...] = ("hedonic", "comparable_sales", "gradient_boosting", "neural_network")


@dataclass(frozen=True)
class Evaluation:
    """The models' values of n properties, and the inputs that they rest on.

    `log_values` has shape (n, models) in the order of `COMPONENTS`, `log_value` (n,) is the reconciled one. `matrix`
    are the predictors that the trees saw, `inputs` what the network saw. `difficulty` (n, 7) is what the error depends
    on: the comparables' difficulty, the models' disagreement, and how far below and above the typical value it lies.
    """

    decomposition: Decomposition
    matrix: FloatArray
    inputs: SingleArray
    comparables: Reconciled
    log_values: FloatArray
    log_value: FloatArray
    difficulty: FloatArray


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions of the model's own sales: positions, log values (n, models), errors, difficulty."""

    rows: IntArray
    log_values: FloatArray
    log_value: FloatArray
    log_price: FloatArray
    difficulty: FloatArray


@dataclass(frozen=True)
class Ensemble:
    """The fitted models. `comparables` holds the regression, the trend and the sales."""

    comparables: ComparableSales
    predictors: Predictors
    trees: BoostedTrees
    network_inputs: NetworkInputs
    network: Network
    reconciliation: Reconciliation
    typical_ranges: Mapping[str, tuple[float, float]]
    """The central 99 % range of the sales, by the source of a number."""
    typical_difficulty: FloatArray
    """The unit of the comparables' difficulty (3,): how far a comparable is depends on the length that a fit has
    found, and errors of one fit must tell of those of another.
    """

    def can_value(self, subjects: Characteristics) -> BoolArray:
        """Mask of the subjects with the data that a value needs (see `ComparableSales.can_value`)."""
        return self.comparables.can_value(subjects)

    def evaluate(self, subjects: Characteristics) -> Evaluation:
        """Value subjects that `can_value` accepts, as of the valuation day."""
        hedonic = self.comparables.hedonic
        decomposition = self.predictors.decompose(hedonic, subjects)
        matrix = self.predictors.matrix(hedonic, subjects, decomposition)
        boosted = decomposition.value + self.trees.predict(matrix)
        inputs = self.network_inputs.encode(matrix, subjects)
        reconciled = self.comparables.reconcile(subjects)
        of_network = self.network.predict(inputs)
        log_values = np.column_stack([decomposition.value, np.log(reconciled.estimate), boosted, of_network])
        log_value = self.reconciliation.reconcile(log_values)
        difficulty = _difficulty(
            reconciled.difficulty / self.typical_difficulty, log_values, log_value, decomposition.typical
        )
        return Evaluation(decomposition, matrix, inputs, reconciled, log_values, log_value, difficulty)


Stage = Callable[[str], object]
"""Callback with the name of the part of a training that begins. What it raises ends the training."""
FITTED_PARTS = ("regression and comparables", "trees", "network")


def fit_ensemble(sales: Sales, on: int, seed: int, stage: Stage = lambda _: None) -> tuple[Ensemble, OutOfFold]:
    """Fit the models to sales that are all usable, with their out-of-fold predictions.

    `stage` is called with each of `FITTED_PARTS` as it begins. Raises InsufficientSalesError below 50 sales,
    AppraisalInputError for a valuation day more than a year after the last sale.
    """
    stage(FITTED_PARTS[0])
    comparables = fit_comparables(sales, on)
    used, hedonic = comparables.sales, comparables.hedonic
    log_price = np.log(used.sale_price) + hedonic.trend.log_factor(used.sale_day.astype(np.float64))
    rows = _evenly(used, comparables)
    at_sale, reconciled = _leave_one_out(comparables, rows)
    predictors, matrix, value = learn_predictors(used, hedonic, at_sale, log_price, on, seed)
    target = log_price - value.value
    stage(FITTED_PARTS[1])
    trees, of_trees_out_of_fold = fit_trees_and_folds(matrix, target, seed)
    boosted = value.value[rows] + of_trees_out_of_fold[rows]
    network_inputs = learn_inputs(predictors, hedonic.features, matrix, used.characteristics)
    stage(FITTED_PARTS[2])
    network, of_network = fit_network_and_folds(network_inputs.encode(matrix, used.characteristics), log_price, seed)
    log_values = np.column_stack([value.value[rows], np.log(reconciled.estimate), boosted, of_network[rows]])
    weights = best_weights(log_values, log_price[rows], np.array(PRIOR_WEIGHTS))
    reconciliation = fit_reconciliation(log_values, log_price[rows], weights)
    log_value = reconciliation.reconcile(log_values)
    typical_difficulty = _typical_difficulty(reconciled.difficulty)
    difficulty = _difficulty(reconciled.difficulty / typical_difficulty, log_values, log_value, value.typical)
    out_of_fold = OutOfFold(comparables.rows[rows], log_values, log_value, log_price[rows], difficulty)
    ranges = _typical_ranges(hedonic.features, used)
    ensemble = Ensemble(
        comparables, predictors, trees, network_inputs, network, reconciliation, ranges, typical_difficulty
    )
    return ensemble, out_of_fold


def _leave_one_out(comparables: ComparableSales, rows: IntArray) -> tuple[FloatArray, Reconciled]:
    """Each sale's log contributions without itself, and the reconciled comparables of those at `rows`."""
    without = comparables.hedonic.leave_one_out(comparables.sales)
    return comparables.contributions - without.own(), comparables.leave_one_out(rows, without)


def _typical_difficulty(comparables: FloatArray) -> FloatArray:
    """The medians of the comparables' difficulty (n, 3), but 1 for the spread, which is in log points everywhere."""
    typical_difficulty = np.median(comparables, axis=0)
    typical_difficulty[0] = 1.0
    return np.where(typical_difficulty > 0.0, typical_difficulty, 1.0)


def _difficulty(comparables: FloatArray, log_values: FloatArray, log_value: FloatArray, typical: float) -> FloatArray:
    away = log_value - typical
    disagreement = [np.abs(log_values[:, 2] - log_values[:, number]) for number in (0, 1)]
    return np.column_stack([comparables, *disagreement, np.maximum(-away, 0.0), np.maximum(away, 0.0)])


def _typical_ranges(features: Features, sales: Sales) -> dict[str, tuple[float, float]]:
    day = sales.sale_day.astype(np.float64)
    reconciled = {}
    for part in features.parts:
        if isinstance(part, Number):
            low, high = np.nanquantile(part.read(sales.characteristics, day), TYPICAL_QUANTILES)
            reconciled[part.source] = (float(low), float(high))
    return reconciled


def _evenly(sales: Sales, comparables: ComparableSales) -> IntArray:
    """Positions of at most 4,000 sales with what a value needs, spread evenly over time."""
    able = np.flatnonzero(comparables.can_value(sales.characteristics))
    by_day = able[np.argsort(sales.sale_day[able], kind="stable")]
    return np.sort(by_day[:: max(1, -(-by_day.size // MAX_OOF_SALES))]).astype(np.int64)
