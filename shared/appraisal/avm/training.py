"""Training: select the sales, fit the models, test them on sales they have not seen, and learn their error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.ensemble import FITTED_PARTS, Ensemble, LeftOut, Stage, fit_ensemble
from shared.appraisal.avm.holding_out import FORWARD, TESTS, HeldOut, error_growth, hold_out
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.parameters import (
    MIN_ERRORS,
    MIN_HOLDOUT_ERRORS,
    MIN_SALES_TO_REWEIGHT,
    PRIOR_INFLATION_SALES,
    PRIOR_OOF_ERROR_INFLATION,
    PRIOR_WEIGHTS,
)
from shared.appraisal.avm.reconciliation import best_weights, fit_reconciliation
from shared.appraisal.avm.selection import select_sales
from shared.appraisal.columns import Sales
from shared.appraisal.conformal import ErrorModel, fit_errors
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.parameters import DIFFICULTY_QUANTILE

STAGES = len(FITTED_PARTS) * (1 + TESTS)
"""Parts of a training, each about as long as the others."""
_EPSILON = 1e-9


def train(sales: Sales, on: int, *, seed: int = 0, stage: Stage = lambda _: None) -> TrainedModel:
    """A model for the valuation day `on` (ordinal), made of sales strictly before it.

    The same sales, day and seed give the same model. `stage` is told what begins: `STAGES` times at most.
    Raises InsufficientSalesError when fewer than 50 sales can be used, AppraisalInputError for a day more than a year
    after the last of them, sales all of one day, or of one price.
    """
    selection = select_sales(sales, on)
    ensemble, left_out = fit_ensemble(sales.take(selection.rows), on, seed, stage)
    if left_out.rows.size < MIN_ERRORS:
        raise InsufficientSalesError(
            "sales", int(left_out.rows.size), MIN_ERRORS, "measuring the error on sales with a place"
        )
    held_out = hold_out(sales, selection, ensemble, left_out, seed, stage)
    ensemble = _weighed(ensemble, held_out, left_out)
    errors = _errors(held_out, left_out)
    hard = np.quantile(left_out.difficulty, DIFFICULTY_QUANTILE, axis=0)
    growth = error_growth(held_out, sales.sale_day)
    return TrainedModel(ensemble, selection, held_out, errors, hard, seed, growth)


def _weighed(ensemble: Ensemble, held_out: HeldOut, left_out: LeftOut) -> Ensemble:
    """With the weights that are best on later sales, where enough were held out.

    Left-out values are given by trees that learned from fewer sales than those of the model did, while the other
    models lack the one sale alone: they speak against the trees. Held-out values do not.
    """
    if held_out.rows.size < MIN_SALES_TO_REWEIGHT or held_out.protocol != FORWARD:
        return ensemble
    weights = best_weights(held_out.log_values, held_out.log_price, np.array(PRIOR_WEIGHTS))
    return replace(ensemble, reconciliation=fit_reconciliation(left_out.log_values, left_out.log_price, weights))


def _errors(held_out: HeldOut, left_out: LeftOut) -> ErrorModel:
    """From the held-out sales; where they are few, with the others that were valued without their price.

    These flatter the model, which knew what was sold around them afterwards: they are counted as large as later sales
    err.
    """
    left = left_out.log_price - left_out.log_value
    if held_out.protocol != FORWARD:
        return fit_errors(PRIOR_OOF_ERROR_INFLATION * left, left_out.difficulty)
    later = held_out.log_price - held_out.log_value
    if later.size >= MIN_HOLDOUT_ERRORS:
        return fit_errors(later, held_out.difficulty)
    errors = np.concatenate([later, _growth(later, left) * left])
    return fit_errors(errors, np.concatenate([held_out.difficulty, left_out.difficulty]))


def _growth(later: FloatArray, left: FloatArray) -> float:
    """How many times as large as errors of left-out sales those of later ones are; of few drawn to what is usual."""
    told = float(np.abs(later).sum() / max(np.abs(left).mean(), _EPSILON))
    return (told + PRIOR_INFLATION_SALES * PRIOR_OOF_ERROR_INFLATION) / (later.size + PRIOR_INFLATION_SALES)
