"""Figures that a test measures: kept with its outcome, for the report of the long half (`python -m tests.long`)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Figure:
    """A measured value in `unit`, and the largest that is promised, where something is."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def holds(self) -> bool:
        """False for a value above its limit."""
        return self.limit is None or self.value <= self.limit

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        return f"{_number(self.value)} {self.unit}".rstrip()

    @property
    def limit_shown(self) -> str:
        """The limit as a person reads it; empty without one."""
        return "" if self.limit is None else f"{_number(self.limit)} {self.unit}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:,.3g}"


RecordFigure = Callable[..., None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> RecordFigure:
    """Keep a figure of this test: `figure(name, value, unit, limit=None)`. It asserts nothing."""

    def record(name: str, value: float, unit: str = "", *, limit: float | None = None) -> None:
        request.node.user_properties.append(("figure", (name, value, unit, limit)))

    return record
