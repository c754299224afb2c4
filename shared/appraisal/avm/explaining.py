"""One property's value, told in full and to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from shared.appraisal.avm.ensemble import Ensemble
from shared.appraisal.avm.flags import TEXTS
from shared.appraisal.avm.results import Appraisal, Component, Contribution, Valuations
from shared.appraisal.columns import Characteristics
from shared.appraisal.explanation import Flag, adjustment_grid, in_cents, refuse_unfit, shown


def tell(
    ensemble: Ensemble,
    said: Valuations,
    subject: Characteristics,
    weights: Mapping[Component, float],
    on: int | None,
) -> Appraisal:
    """What is said of the one subject. Raises AppraisalInputError when it has no value."""
    refuse_unfit(ensemble.comparables, subject)
    predicted = said.predictions
    estimate, base = in_cents(float(predicted.estimate[0])), in_cents(said.contributions.base)
    day = ensemble.comparables.valuation_day if on is None else on
    return Appraisal(
        estimate=estimate,
        low=in_cents(float(predicted.low[0])),
        high=in_cents(float(predicted.high[0])),
        confidence=round(float(predicted.confidence[0]), 3),
        base=base,
        contributions=_contributions(said, subject, estimate - base),
        components={name: in_cents(float(value[0])) for name, value in said.components.items()},
        weights=weights,
        comparables=adjustment_grid(ensemble.comparables, subject, day),
        flags=tuple(Flag(code, TEXTS[code]) for code, holds in said.flags.items() if holds[0]),
    )


def _contributions(said: Valuations, subject: Characteristics, total: Decimal) -> tuple[Contribution, ...]:
    """Each feature's, largest first; they add up to `total` because the largest takes the cents lost in rounding."""
    dollars = said.contributions.dollars[0]
    order = np.argsort(-np.abs(dollars), kind="stable")
    amounts = [in_cents(float(dollars[place])) for place in order]
    amounts[0] += total - sum(amounts, Decimal(0))
    names = [said.contributions.names[place] for place in order]
    return tuple(
        Contribution(name, amount, shown(name, subject, 0)) for name, amount in zip(names, amounts, strict=True)
    )
