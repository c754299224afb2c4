"""Accuracy of a trained model on its hold-out: a ratio study, overall, by stratum and by component."""

from __future__ import annotations

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, TextArray
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.results import HoldOut
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.ratio_statistics import cod, prd, value_proxy
from shared.appraisal.ratio_study import Options, study
from shared.appraisal.time_trend import month_numbers
from shared.appraisal.verdicts import Uniformity, uniformity_of
from shared.contracts.valuation_model import (
    Accuracy,
    ComponentAccuracy,
    HoldOutStratum,
    Statistic,
    StatisticVerdict,
    StratumAccuracy,
)
from shared.evidence import Evidence

FAILED = "does not meet"
MIN_STRATUM_SALES = 20
"""The standard's smallest sample for vertical equity, as for a whole hold-out (`MIN_HOLDOUT_SALES`)."""
_DECILES = 10
_UNKNOWN = "(unknown)"


def overall(model: TrainedModel, evidence: Evidence) -> Accuracy:
    """The accuracy on all held-out sales. Raises InsufficientSalesError for fewer than five."""
    holdout = model.holdout
    return _accuracy(holdout, np.ones(holdout.rows.size, dtype=np.bool_), _uniformity(evidence, holdout))


def by_stratum(model: TrainedModel, evidence: Evidence) -> tuple[StratumAccuracy, ...]:
    """The accuracy by neighborhood, class, price decile and quarter of sale."""
    holdout = model.holdout
    median = float(np.median(holdout.estimate / holdout.price))
    labels: dict[HoldOutStratum, TextArray] = {
        "neighborhood": _known(evidence.sales.characteristics.neighborhood[holdout.rows]),
        "property_class": _known(evidence.property_class[holdout.rows]),
        "price_decile": _deciles(value_proxy(holdout.estimate, holdout.price, median)),
        "sale_quarter": _quarters(evidence, holdout),
    }
    return tuple(
        _stratum(name, str(level), evidence, holdout, column == level)
        for name, column in labels.items()
        for level in np.unique(column)
    )


def by_component(model: TrainedModel) -> tuple[ComponentAccuracy, ...]:
    """The accuracy of each of the reconciled models alone, on the same sales."""
    holdout = model.holdout
    accuracies = []
    for name, estimate in holdout.components.items():
        usable = np.isfinite(estimate) & (estimate > 0)
        ratio = estimate[usable] / holdout.price[usable]
        if ratio.size == 0:
            continue
        accuracies.append(
            ComponentAccuracy(
                component=name,
                weight=round(float(model.weights[name]), 6),
                sales=int(ratio.size),
                median=float(np.median(ratio)),
                cod=cod(ratio),
                prd=prd(estimate[usable], holdout.price[usable]),
                mape=float(100.0 * np.abs(ratio - 1.0).mean()),
            )
        )
    return tuple(accuracies)


def _stratum(
    name: HoldOutStratum, level: str, evidence: Evidence, holdout: HoldOut, members: BoolArray
) -> StratumAccuracy:
    sales = int(members.sum())
    try:
        if sales < MIN_STRATUM_SALES:
            raise InsufficientSalesError("sales", sales, MIN_STRATUM_SALES, "a stratum of the hold-out")
        accuracy = _accuracy(holdout, members, _uniformity(evidence, holdout, members))
    except InsufficientSalesError as error:
        return StratumAccuracy(stratum=name, value=level, sales=sales, accuracy=None, reason=f"{error.problem}.")
    return StratumAccuracy(stratum=name, value=level, sales=sales, accuracy=accuracy, reason=None)


def _accuracy(holdout: HoldOut, members: BoolArray, kind: Uniformity | None) -> Accuracy:
    estimate, price = holdout.estimate[members], holdout.price[members]
    ratio_study = study(estimate, price, kind, Options(trim=False))
    inside = (holdout.low[members] <= price) & (price <= holdout.high[members])
    return Accuracy(
        sales=ratio_study.sales,
        statistics={
            name: Statistic(
                value=measured.value,
                low=measured.interval.low if measured.interval else None,
                high=measured.interval.high if measured.interval else None,
            )
            for name, measured in ratio_study.statistics.items()
        },
        mape=float(100.0 * np.abs(estimate / price - 1.0).mean()),
        coverage=float(inside.mean()),
        verdicts=tuple(
            StatisticVerdict(statistic=verdict.statistic, result=verdict.result, sentence=verdict.sentence)
            for verdict in ratio_study.verdicts
        ),
        notes=ratio_study.notes,
    )


def _uniformity(evidence: Evidence, holdout: HoldOut, members: BoolArray | None = None) -> Uniformity | None:
    """The one kind of property that the sales are of; None for a mixture, whose COD has no range."""
    rows = holdout.rows if members is None else holdout.rows[members]
    kinds = {uniformity_of(str(name)) for name in np.unique(evidence.property_class[rows])}
    return kinds.pop() if len(kinds) == 1 else None


def _known(labels: TextArray) -> TextArray:
    return np.where(labels == "", _UNKNOWN, labels)


def _quarters(evidence: Evidence, holdout: HoldOut) -> TextArray:
    months = month_numbers(evidence.sales.sale_day[holdout.rows])
    return np.array([f"{month // 12}-Q{month % 12 // 3 + 1}" for month in months], dtype=np.str_)


def _deciles(values: FloatArray) -> TextArray:
    """1 is the lowest tenth; two digits, so that they sort."""
    edges = np.quantile(values, np.arange(1, _DECILES) / _DECILES)
    return np.array([f"{decile + 1:02}" for decile in np.searchsorted(edges, values, side="left")], dtype=np.str_)
