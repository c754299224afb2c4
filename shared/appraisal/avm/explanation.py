"""Explanation of one property's value, in full and to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from shared.appraisal.avm.ensemble import Ensemble
from shared.appraisal.avm.flag_codes import FlagCode
from shared.appraisal.avm.flags import TEXTS
from shared.appraisal.avm.results import Appraisal, Component, Contribution, Valuations
from shared.appraisal.columns import Characteristics
from shared.appraisal.explanation import AdjustedComparable, Flag, adjustment_grid, in_cents, require_comparable, shown


def explain_property(
    ensemble: Ensemble,
    valuations: Valuations,
    subject: Characteristics,
    weights: Mapping[Component, float],
    on: int | None,
) -> Appraisal:
    """The appraisal of the one subject. Raises AppraisalInputError when it has no value."""
    require_comparable(ensemble.comparables, subject)
    predicted = valuations.predictions
    estimate, base = in_cents(float(predicted.estimate[0])), in_cents(valuations.contributions.base)
    low, high = in_cents(float(predicted.low[0])), in_cents(float(predicted.high[0]))
    day = ensemble.comparables.valuation_day if on is None else on
    components = {name: in_cents(float(value[0])) for name, value in valuations.components.items()}
    grid = adjustment_grid(ensemble.comparables, subject, day)
    disagreement = _disagreement(
        grid, components, weights, f"the value of ${estimate:,.0f} (${low:,.0f} to ${high:,.0f})"
    )
    return Appraisal(
        estimate=estimate,
        low=low,
        high=high,
        confidence=round(float(predicted.confidence[0]), 3),
        base=base,
        contributions=_contributions(valuations, subject, estimate - base),
        components=components,
        weights=weights,
        comparables=grid,
        flags=tuple(
            Flag(code, f"{TEXTS[code]}: {disagreement}" if code in _DISAGREEMENT_CODES else TEXTS[code])
            for code, holds in valuations.flags.items()
            if holds[0]
        ),
    )


_DISAGREEMENT_CODES: frozenset[FlagCode] = frozenset(
    ("comparables_above_value", "comparables_below_value", "comparables_outside_interval")
)


def _disagreement(
    grid: Sequence[AdjustedComparable],
    components: Mapping[Component, Decimal],
    weights: Mapping[Component, float],
    value: str,
) -> str:
    """The figures behind a value that its comparables disagree with, and the components that make it."""
    prices = sorted(comparable.adjusted_price for comparable in grid)
    components_by_weight = [
        f"{name.replace('_', ' ')} ${components[name]:,.0f} ({weight:.0%})"
        for name, weight in sorted(weights.items(), key=lambda item: -item[1])
        if weight > 0
    ]
    return (
        f"{len(prices)} adjusted prices of ${prices[0]:,.0f} to ${prices[-1]:,.0f} come to"
        f" ${components['comparable_sales']:,.0f} by comparable sales, which has {weights['comparable_sales']:.0%} of"
        f" the weight; {value} is made by {', '.join(components_by_weight)}"
    )


def _contributions(valuations: Valuations, subject: Characteristics, total: Decimal) -> tuple[Contribution, ...]:
    """Each feature's, largest first; they add up to `total` because the largest takes the cents lost in rounding."""
    dollars = valuations.contributions.dollars[0]
    order = np.argsort(-np.abs(dollars), kind="stable")
    amounts = [in_cents(float(dollars[column])) for column in order]
    amounts[0] += total - sum(amounts, Decimal(0))
    names = [valuations.contributions.names[column] for column in order]
    return tuple(
        Contribution(name, amount, shown(name, subject, 0)) for name, amount in zip(names, amounts, strict=True)
    )
