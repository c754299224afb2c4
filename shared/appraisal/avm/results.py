"""Results of a trained model: of one property, of many, and of its own accuracy.

Money of many properties is float dollars in arrays; money of one property, as it is shown, is Decimal to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.avm.flag_codes import FlagCode
from shared.appraisal.explanation import AdjustedComparable, Flag
from shared.appraisal.models import Predictions

Component = Literal["hedonic", "comparable_sales", "gradient_boosting", "neural_network"]
"""The models whose values are reconciled."""

Exclusion = Literal[
    "on_or_after_valuation_date",
    "no_price",
    "no_living_area",
    "older_than_needed",
    "sold_before_built",
    "implausible_price",
]
"""Reasons why a sale was not used; a sale has the first that holds."""

Refusal = Literal["no_living_area", "no_place"]
"""Reasons why a property has no value: no living area, or neither coordinates nor a neighborhood."""


@dataclass(frozen=True)
class Contributions:
    """Contributions of the features to the estimates of n properties, in dollars.

    `base` is the value of the county's typical sale as of the valuation day (the same for all), `names` the features,
    `dollars` of shape (n, len(names)). For each property base + its row's sum is the estimate. NaN where there is none.
    """

    base: float
    names: tuple[str, ...]
    dollars: FloatArray


@dataclass(frozen=True)
class Comparables:
    """The comparable sales of n properties, k each, heaviest first; shapes (n, k).

    `rows` are positions in the sales given to `train`, -1 for a property without a value. `adjusted_price` is the
    price with every adjustment to the property (dollars), `weight` sums to 1 over a property's comparables.
    """

    rows: IntArray
    adjusted_price: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Valuations:
    """Values of n properties, with everything that explains them.

    `components` has each model's own estimate, `flags` where each flag holds, `refused` where there is no value for
    that reason (the predictions are NaN there). All shapes are (n,) unless their class says otherwise.
    """

    predictions: Predictions
    contributions: Contributions
    comparables: Comparables
    components: Mapping[Component, FloatArray]
    flags: Mapping[FlagCode, BoolArray]
    refused: Mapping[Refusal, BoolArray]


@dataclass(frozen=True)
class Contribution:
    """One feature's contribution to one property's value. `value` is the property's own, None where it is unknown."""

    name: str
    amount: Decimal
    value: str | float | None


@dataclass(frozen=True)
class Appraisal:
    """One property's value with everything that explains it.

    base + the contributions' amounts is exactly the estimate. `components` are the models' own values, which
    `weights` (of the logarithms, summing to 1) reconcile. The comparables, heaviest first, reconcile to
    `components["comparable_sales"]`.
    """

    estimate: Decimal
    low: Decimal
    high: Decimal
    confidence: float
    base: Decimal
    contributions: tuple[Contribution, ...]
    components: Mapping[Component, Decimal]
    weights: Mapping[Component, float]
    comparables: tuple[AdjustedComparable, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Fold:
    """One step of the hold-out: a model of the sales before `valuation_day` tested on sales from it on.

    Days are ordinals; the tested sales lie in [valuation_day, tested_to].
    """

    valuation_day: int
    tested_to: int
    trained_on: int
    tested: int


@dataclass(frozen=True)
class HoldOut:
    """The model's accuracy on sales it had not seen: later ones, valued by models of earlier ones.

    `rows` are the held-out sales' positions in the sales given to `train`; `estimate`, `low`, `high` (80 %) and
    `price` (as paid) their values and prices in dollars, and `components` each model's own estimates; shapes (n,).
    """

    protocol: str
    folds: tuple[Fold, ...]
    rows: IntArray
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    price: FloatArray
    components: Mapping[Component, FloatArray]
