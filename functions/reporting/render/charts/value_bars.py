"""Bars of land and improvement value, one a group, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from functions.reporting.domain.contents import Bar, Drawing, Label, Shape, Tick
from functions.reporting.domain.parameters import MAX_CHART_BARS
from shared.typesetting import display

_PITCH = 12.0
"""Points from one bar to the next."""
_LONGEST = 0.8
"""The largest group's bar as a share of the chart; the rest is for its amount."""


class ValueBar(NamedTuple):
    """The values of one group."""

    name: str | None
    land: Decimal
    improvement: Decimal

    @property
    def total(self) -> Decimal:
        """Both together."""
        return self.land + self.improvement


def value_bars(title: str, groups: Sequence[ValueBar]) -> Drawing | None:
    """The largest groups, the largest on top; None where none has a value."""
    drawn = sorted(groups, key=lambda group: (-group.total, group.name or ""))[:MAX_CHART_BARS]
    greatest = max((group.total for group in drawn), default=Decimal(0))
    if greatest <= 0:
        return None
    shapes: list[Shape] = []
    names = []
    for row, group in enumerate(drawn):
        middle = 1 - (row + 0.5) / len(drawn)
        low, thickness = middle - 0.33 / len(drawn), 0.66 / len(drawn)
        land = _share(group.land, greatest)
        improvement = _share(group.improvement, greatest)
        shapes.append(Bar(0, low, land, thickness, "second"))
        shapes.append(Bar(land, low, improvement, thickness, "ink"))
        shapes.append(Label((land + improvement + 0.01, middle), display.dollars(group.total)))
        names.append(Tick(middle, display.name(group.name), is_line=False))
    return Drawing(
        title=title,
        alternative=(
            f"{title}: land and improvement value of the {len(drawn)} largest groups as bars, the largest"
            f" {display.name(drawn[0].name)} with {display.dollars(greatest)}. The table below has the figures."
        ),
        shapes=shapes,
        height=len(drawn) * _PITCH,
        y_ticks=names,
        legend=[("second", "Land value"), ("ink", "Improvement value")],
        margin=120,
    )


def _share(value: Decimal, greatest: Decimal) -> float:
    return round(_LONGEST * float(max(value, Decimal(0)) / greatest), 5)
