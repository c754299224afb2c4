"""Hold-out: values of sales by models that had not seen them.

The last fifth of the sales is valued in two steps, each by a model made only of the sales before the step, with its
own selection, weights and calibration, and its trend carried to the day of each sale. Every later sale counts, however
far its price is off; excluded are only sales of lots on which the property was built afterwards. A county with too few
sales, or in too short a time, for that has its own sales valued out of fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.avm.ensemble import Ensemble, OutOfFold, Stage, fit_ensemble
from shared.appraisal.avm.parameters import HOLDOUT_STARTS, MIN_HOLDOUT_SALES
from shared.appraisal.avm.results import Fold
from shared.appraisal.avm.selection import Selection, select_sales
from shared.appraisal.columns import Sales
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import DAYS_PER_YEAR

FORWARD = (
    "forward: the last fifth of the sales in two steps, each valued as of the day of sale by a model made of the sales "
    "before the step alone"
)
OUT_OF_FOLD = "out of fold: too few sales to hold out the latest; each valued by models fitted without its price"
TESTS = len(HOLDOUT_STARTS)
"""Models fitted to earlier sales, for the test alone."""
_NO_EVIDENCE = ("sold_before_built", "no_price", "no_living_area", "on_or_after_valuation_date")


@dataclass(frozen=True)
class HeldOut:
    """Sales valued by models that had not seen them.

    `rows` are positions in the sales given; `log_values` (n, models) and `log_value` (n,) as of the day of sale,
    `difficulty` (n, columns) what their errors depend on.
    """

    protocol: str
    folds: tuple[Fold, ...]
    rows: IntArray
    log_values: FloatArray
    log_value: FloatArray
    log_price: FloatArray
    difficulty: FloatArray

    @property
    def days_ahead(self) -> float:
        """The typical time from a model's last sale to a held-out sale, in days."""
        reach = [(fold.tested_to - fold.valuation_day) / 2 for fold in self.folds]
        return float(np.average(reach, weights=[fold.tested for fold in self.folds]))


def error_growth(held_out: HeldOut, sale_day: IntArray) -> float:
    """The growth of the held-out sales' absolute errors with the age of the model that values them, log points a year.

    `sale_day` are the days of the sales given to `train`. The least-squares slope of the absolute error on the days
    since the model's valuation day, each step about its own mean; never below 0, and drawn to 0 as its own error makes
    it doubtful (t^2 / (1 + t^2)). 0 where nothing was held out forward.
    """
    if held_out.protocol != FORWARD:
        return 0.0
    day = sale_day[held_out.rows].astype(np.float64)
    error = np.abs(held_out.log_price - held_out.log_value)
    years, errors = [], []
    for fold in held_out.folds:
        members = (day >= fold.valuation_day) & (day <= fold.tested_to)
        if members.sum() > 1:
            years.append((day[members] - day[members].mean()) / DAYS_PER_YEAR)
            errors.append(error[members] - error[members].mean())
    if not years:
        return 0.0
    age, about = np.concatenate(years), np.concatenate(errors)
    spread = float(age @ age)
    if spread <= 0.0:
        return 0.0
    slope = float(age @ about) / spread
    residual = about - slope * age
    doubt = float(residual @ residual) / max(age.size - 1 - len(years), 1) / spread
    return max(slope, 0.0) * slope**2 / max(slope**2 + doubt, 1e-18)


def hold_out(
    sales: Sales,
    selection: Selection,
    ensemble: Ensemble,
    out_of_fold: OutOfFold,
    seed: int,
    stage: Stage = lambda _: None,
) -> HeldOut:
    """Test on the latest of the sales that the selection kept or found implausible."""
    no_evidence = [
        rows for reason, rows in selection.excluded.items() if reason in (*_NO_EVIDENCE, "older_than_needed")
    ]
    candidates = np.setdiff1d(np.arange(len(sales)), np.concatenate([np.zeros(0, dtype=np.int64), *no_evidence]))
    days = sales.sale_day[candidates]
    starts = [int(np.quantile(days, step, method="higher")) for step in HOLDOUT_STARTS]
    ends = [*starts, ensemble.comparables.valuation_day]
    parts = []
    for number, (start, end) in enumerate(pairwise(ends), start=1):
        report = partial(_report_stage, stage, number)
        parts.append(_step(sales, candidates[days < start], candidates, start, end, seed, report))
    usable = [part for part in parts if part is not None]
    if sum(part.rows.size for part in usable) < MIN_HOLDOUT_SALES:
        return _out_of_fold(selection, ensemble, out_of_fold)
    return HeldOut(
        FORWARD,
        tuple(fold for part in usable for fold in part.folds),
        *(
            np.concatenate([getattr(part, name) for part in usable])
            for name in ("rows", "log_values", "log_value", "log_price", "difficulty")
        ),
    )


def _report_stage(stage: Stage, number: int, part: str) -> None:
    stage(f"test {number} of {TESTS}, {part}")


def _step(
    sales: Sales, earlier: IntArray, candidates: IntArray, start: int, end: int, seed: int, stage: Stage
) -> HeldOut | None:
    """The sales of [start, end), valued by a model of the earlier ones; None where none can be made."""
    tested = candidates[(sales.sale_day[candidates] >= start) & (sales.sale_day[candidates] < end)]
    try:
        selection = select_sales(sales.take(earlier), start)
        ensemble, _ = fit_ensemble(sales.take(earlier[selection.rows]), start, seed, stage)
        tested = tested[ensemble.can_value(sales.characteristics.take(tested))]
        carried = carried_log_factor(ensemble, sales.sale_day[tested].astype(np.float64))
    except AppraisalInputError:
        return None
    if not tested.size:
        return None
    evaluation = ensemble.evaluate(sales.characteristics.take(tested))
    return HeldOut(
        FORWARD,
        (Fold(start, int(sales.sale_day[tested].max()), int(selection.rows.size), int(tested.size)),),
        tested,
        evaluation.log_values + carried[:, None],
        evaluation.log_value + carried,
        np.log(sales.sale_price[tested]),
        evaluation.difficulty,
    )


def carried_log_factor(ensemble: Ensemble, day: FloatArray) -> FloatArray:
    """The trend's log factor from the valuation day to other days."""
    return -ensemble.comparables.hedonic.trend.log_factor(day)


def _out_of_fold(selection: Selection, ensemble: Ensemble, out_of_fold: OutOfFold) -> HeldOut:
    """The model's own out-of-fold values; prices and values as of the valuation day, carried back to the sale."""
    used = ensemble.comparables.sales
    position = np.searchsorted(ensemble.comparables.rows, out_of_fold.rows)
    back = carried_log_factor(ensemble, used.sale_day[position].astype(np.float64))
    day = ensemble.comparables.valuation_day
    return HeldOut(
        OUT_OF_FOLD,
        (Fold(day, int(used.sale_day.max()), len(used), int(out_of_fold.rows.size)),),
        selection.rows[out_of_fold.rows],
        out_of_fold.log_values + back[:, None],
        out_of_fold.log_value + back,
        out_of_fold.log_price + back,
        out_of_fold.difficulty,
    )
