"""Axes of charts: round ends and steps, and positions on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functions.reporting.domain.contents import Tick
from functions.reporting.domain.parameters import MAX_TICKS

_ROUND = (1, 2, 2.5, 5, 10)
"""Mantissas of round steps."""


@dataclass(frozen=True)
class Axis:
    """A part of the numbers, from `low` to `high`, with a mark at every `step`."""

    low: float
    high: float
    step: float

    def position(self, value: float) -> float:
        """The position of a value as a share of the axis; beyond an end it is drawn at the end."""
        return round((min(max(value, self.low), self.high) - self.low) / (self.high - self.low), 5)

    def ticks(self, label: Callable[[float], str], *, is_line: bool = True) -> list[Tick]:
        """The marks from end to end."""
        marks = range(round((self.high - self.low) / self.step) + 1)
        values = [self.low + number * self.step for number in marks]
        return [Tick(self.position(value), label(value), is_line) for value in values]


_LEAST_SPAN = 1e-9
"""Of what is told apart: money has cents, ratios three places. Less is too close to zero to be divided."""


def round_axis(values: Iterable[float], *, from_zero: bool = False) -> Axis:
    """An axis of round marks that holds every value."""
    known = list(values) or [0.0]
    low, high = (0.0 if from_zero else min(known)), max(known)
    span = high - low if high - low > _LEAST_SPAN else max(abs(high), abs(low))
    span = span if span > _LEAST_SPAN else 1.0
    magnitude = 10 ** math.floor(math.log10(span / MAX_TICKS))
    step = next(factor * magnitude for factor in _ROUND if factor * magnitude * MAX_TICKS >= span)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Axis(first * step, max(last, first + 1) * step, step)


def ratio_axis(values: Iterable[float], *, narrowest: tuple[float, float], widest: tuple[float, float]) -> Axis:
    """An axis of ratios with a mark at every tenth."""
    known = list(values)
    low = min(math.floor(min(known, default=1.0) * 10), round(narrowest[0] * 10))
    high = max(math.ceil(max(known, default=1.0) * 10), round(narrowest[1] * 10))
    low, high = max(low, round(widest[0] * 10)), min(high, round(widest[1] * 10))
    step = 0.1 if high - low <= 2 * MAX_TICKS else 0.2
    return Axis(low / 10, (low + math.ceil((high - low) / (step * 10)) * step * 10) / 10, step)
