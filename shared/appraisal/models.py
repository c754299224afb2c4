"""The protocol of valuation models, by which they are compared and reconciled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Characteristics


@dataclass(frozen=True)
class Predictions:
    """Values of n properties in dollars as of a model's valuation day; arrays of shape (n,).

    NaN throughout for a property that the model cannot value. `low` and `high` bound the interval in which a sale
    is expected with the model's coverage. `confidence` is the estimated probability, from the model's errors on
    past sales it had not seen, that a sale falls within 10 % of the estimate. `contributions` are dollars by name
    and add up to the estimate.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: FloatArray
    contributions: Mapping[str, FloatArray]


class Model(Protocol):
    """A model fitted for one valuation day on sales before it."""

    @property
    def name(self) -> str:
        """The method, as a valuation reports it."""
        ...

    @property
    def valuation_day(self) -> int:
        """The day (ordinal) as of which it values."""
        ...

    def predict(self, subjects: Characteristics) -> Predictions:
        """Value the subjects."""
        ...
