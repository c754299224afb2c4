"""Bars of what each feature adds to a value or takes from it, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from functions.reporting.domain.contents import Bar, Drawing, Label, Line, Shape, Tick
from functions.reporting.domain.parameters import MAX_CHART_BARS
from shared.typesetting import display

_PITCH = 13.0
"""Points from one bar to the next."""
_LONGEST = 0.8
"""The longest bars as a share of the chart; the rest is for their amounts."""


def contribution_bars(title: str, amounts: Sequence[tuple[str, Decimal]]) -> Drawing | None:
    """The features with the largest amounts, of either sign; None where there is none."""
    drawn = sorted(amounts, key=lambda named: (-abs(named[1]), named[0]))[:MAX_CHART_BARS]
    least = min((amount for _, amount in drawn), default=Decimal(0))
    greatest = max((amount for _, amount in drawn), default=Decimal(0))
    span = float(max(greatest, Decimal(0)) - min(least, Decimal(0)))
    if not span:
        return None
    zero = float(-min(least, Decimal(0))) / span * _LONGEST
    shapes: list[Shape] = []
    ticks = []
    for row, (name, amount) in enumerate(drawn):
        middle = 1 - (row + 0.5) / len(drawn)
        length = abs(float(amount)) / span * _LONGEST
        left = zero if amount >= 0 else zero - length
        thickness = 0.62 / len(drawn)
        shapes.append(
            Bar(
                *(round(left, 5), round(middle - thickness / 2, 5)),
                *(round(length, 5), round(thickness, 5)),
                "ink" if amount >= 0 else "alarm",
            )
        )
        shapes.append(Label((max(left + length, zero) + 0.01, middle), display.dollar_change(amount)))
        ticks.append(Tick(middle, display.name(name), is_line=False))
    shapes.append(Line([(zero, 0), (zero, 1)], "quiet", 0.7))
    return Drawing(
        title=title,
        alternative=(
            f"{title}: bars to the right add to the value, bars to the left take from it; the largest is"
            f" {display.name(drawn[0][0])} with {display.dollar_change(drawn[0][1])}. The table below has every amount."
        ),
        shapes=shapes,
        height=len(drawn) * _PITCH,
        y_ticks=ticks,
        margin=130,
    )
