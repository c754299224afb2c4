"""Attribution: each feature's contribution to a value, in dollars that add up to it exactly.

The models are additive in log value about the value of the typical sale: the regression by its groups, the trees by
the predictors they split on, the network by its inputs, and the comparable sales as what they say beyond the
regression. A log contribution is turned into dollars with the logarithmic mean of the value and the base,
(E - B) / (log E - log B). That is the attribution along the straight path from the typical property to this one
(Aumann and Shapley 1974), and favours no order of the features.
"""

from __future__ import annotations

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.ensemble import Ensemble, Evaluation
from shared.appraisal.avm.predictors import REGRESSION, STRUCTURE
from shared.appraisal.features import group_sums
from shared.appraisal.hedonic import LOCATION

COMPARABLE_SALES = "comparable_sales"
_NEIGHBORHOOD = "neighborhood"
_EPSILON = 1e-9


def attribute(ensemble: Ensemble, evaluation: Evaluation, carried: float) -> tuple[float, tuple[str, ...], FloatArray]:
    """(base in dollars, the features' names, dollars of shape (n, features)); values are carried by a log factor."""
    names = feature_names(ensemble)
    logs, common = _log_contributions(ensemble, evaluation, names)
    reconciliation = ensemble.reconciliation
    typical = reconciliation.reconcile(np.full((1, reconciliation.weights.size), evaluation.decomposition.typical))[0]
    base = float(np.exp(typical + reconciliation.vertical_equity_scale * common + carried))
    estimate = np.exp(evaluation.log_value + carried)
    dollars = reconciliation.vertical_equity_scale * logs * _logarithmic_mean(estimate, base)[:, None]
    # The trees count in single precision: what that leaves goes to the largest contribution.
    remainder = estimate - base - dollars.sum(axis=1)
    dollars[np.arange(len(dollars)), np.argmax(np.abs(dollars), axis=1)] += remainder
    return base, names, dollars


def feature_names(ensemble: Ensemble) -> tuple[str, ...]:
    """The features under which contributions are reported."""
    of_trees = [name for name in ensemble.predictors.groups if name not in (REGRESSION, STRUCTURE)]
    return tuple(dict.fromkeys([*ensemble.comparables.hedonic.names, *of_trees, COMPARABLE_SALES]))


def _log_contributions(ensemble: Ensemble, evaluation: Evaluation, names: tuple[str, ...]) -> tuple[FloatArray, float]:
    """Contributions to the weighted log value, shape (n, features), and what is common to all properties."""
    _, of_comparables, of_trees, of_network = ensemble.reconciliation.weights
    of_regression = evaluation.decomposition.parts
    logs = np.zeros((len(evaluation.log_value), len(names)))
    logs[:, : of_regression.shape[1]] = (1.0 - of_network) * of_regression
    logs[:, names.index(COMPARABLE_SALES)] = of_comparables * (
        evaluation.log_values[:, 1] - evaluation.decomposition.value
    )
    common = 0.0
    if of_trees > 0.0:
        parts = of_trees * ensemble.trees.contributions(evaluation.matrix)
        _add(ensemble, evaluation, names, logs, parts[:, :-1], ensemble.predictors.groups)
        common += of_trees * ensemble.trees.common
    if of_network > 0.0:
        groups = tuple(dict.fromkeys(ensemble.network_inputs.groups))
        parts = of_network * group_sums(
            ensemble.network.contributions(evaluation.inputs), ensemble.network_inputs.groups, groups
        )
        _add(ensemble, evaluation, names, logs, parts, groups)
        common += of_network * (ensemble.network.common - evaluation.decomposition.typical)
    return logs, common


def _add(
    ensemble: Ensemble,
    evaluation: Evaluation,
    names: tuple[str, ...],
    logs: FloatArray,
    parts: FloatArray,
    groups: tuple[str, ...],
) -> None:
    """Add the contributions (n, groups) of a learner's predictors to those of the features, in place."""
    of_regression = evaluation.decomposition.parts
    for column, name in enumerate(groups):
        if name in (REGRESSION, STRUCTURE):
            logs[:, : of_regression.shape[1]] += parts[:, column, None] * _shares(ensemble, of_regression, name)
        else:
            logs[:, names.index(name)] += parts[:, column]


def _shares(ensemble: Ensemble, parts: FloatArray, name: str) -> FloatArray:
    """A correction of the regression's value as a whole belongs to its groups as they make up that value."""
    size = np.abs(parts)
    if name == STRUCTURE:
        names = ensemble.comparables.hedonic.names
        size[:, [column for column, group in enumerate(names) if group in (LOCATION, _NEIGHBORHOOD)]] = 0.0
    return np.asarray(size / np.maximum(size.sum(axis=1, keepdims=True), 1e-300))


def _logarithmic_mean(estimate: FloatArray, base: float) -> FloatArray:
    log_ratio = np.log(estimate / base)
    same = np.abs(log_ratio) < _EPSILON
    return np.asarray(np.where(same, estimate, (estimate - base) / np.where(same, 1.0, log_ratio)))
