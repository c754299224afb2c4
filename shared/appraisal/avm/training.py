"""Training: select the sales, fit the models, test them on sales they have not seen, and learn their error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.ensemble import FITTED_PARTS, Ensemble, OutOfFold, Stage, fit_ensemble
from shared.appraisal.avm.holdout import FORWARD, TESTS, HeldOut, error_growth, hold_out
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

    The same sales, day and seed give the same model. `stage` is called as each part begins, `STAGES` times at most.
    Raises InsufficientSalesError when fewer than 50 sales can be used, AppraisalInputError for a day more than a year
    after the last of them, sales all of one day, or of one price.
    """
    selection = select_sales(sales, on)
    ensemble, out_of_fold = fit_ensemble(sales.take(selection.rows), on, seed, stage)
    if out_of_fold.rows.size < MIN_ERRORS:
        raise InsufficientSalesError(
            "sales", int(out_of_fold.rows.size), MIN_ERRORS, "measuring the error on sales with a place"
        )
    held_out = hold_out(sales, selection, ensemble, out_of_fold, seed, stage)
    ensemble = _reweighted(ensemble, held_out, out_of_fold)
    errors = _errors(held_out, out_of_fold)
    difficulty_p95 = np.quantile(out_of_fold.difficulty, DIFFICULTY_QUANTILE, axis=0)
    error_growth_per_year = error_growth(held_out, sales.sale_day)
    return TrainedModel(ensemble, selection, held_out, errors, difficulty_p95, seed, error_growth_per_year)


def _reweighted(ensemble: Ensemble, held_out: HeldOut, out_of_fold: OutOfFold) -> Ensemble:
    """The ensemble with the weights that are best on later sales, where enough were held out.

    Out-of-fold values come from trees that learned from fewer sales than the model's, while the other models lack the
    one sale alone: they understate the trees' accuracy. Held-out values do not.
    """
    if held_out.rows.size < MIN_SALES_TO_REWEIGHT or held_out.protocol != FORWARD:
        return ensemble
    weights = best_weights(held_out.log_values, held_out.log_price, np.array(PRIOR_WEIGHTS))
    return replace(ensemble, reconciliation=fit_reconciliation(out_of_fold.log_values, out_of_fold.log_price, weights))


def _errors(held_out: HeldOut, out_of_fold: OutOfFold) -> ErrorModel:
    """The error model of the held-out sales; where they are few, of out-of-fold predictions too.

    Out-of-fold errors flatter the model, which knew what was sold around them afterwards: they are inflated to the
    size of errors on later sales.
    """
    oof_errors = out_of_fold.log_price - out_of_fold.log_value
    if held_out.protocol != FORWARD:
        return fit_errors(PRIOR_OOF_ERROR_INFLATION * oof_errors, out_of_fold.difficulty)
    holdout_errors = held_out.log_price - held_out.log_value
    if holdout_errors.size >= MIN_HOLDOUT_ERRORS:
        return fit_errors(holdout_errors, held_out.difficulty)
    errors = np.concatenate([holdout_errors, _oof_error_inflation(holdout_errors, oof_errors) * oof_errors])
    return fit_errors(errors, np.concatenate([held_out.difficulty, out_of_fold.difficulty]))


def _oof_error_inflation(holdout_errors: FloatArray, oof_errors: FloatArray) -> float:
    """The ratio of held-out to out-of-fold absolute errors, shrunk towards the prior where few sales were held out."""
    later_over_oof = float(np.abs(holdout_errors).sum() / max(np.abs(oof_errors).mean(), _EPSILON))
    return (later_over_oof + PRIOR_INFLATION_SALES * PRIOR_OOF_ERROR_INFLATION) / (
        holdout_errors.size + PRIOR_INFLATION_SALES
    )
