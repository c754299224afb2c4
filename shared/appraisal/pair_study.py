"""A ratio study of a list of pairs: what is said to be worth, and what was paid. For whoever has no county here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.ratio_study import Options, RatioStudy, study
from shared.appraisal.strata import of_values
from shared.appraisal.verdicts import Uniformity

Side = Literal["value", "price"]


@dataclass(frozen=True)
class PairFault:
    """A pair that cannot be used: its position in the list, the member at fault, and the reason."""

    position: int
    side: Side
    problem: str


@dataclass(frozen=True)
class Pairs:
    """Usable pairs, their positions in the list that was given, and the faults of the others."""

    value: FloatArray
    price: FloatArray
    positions: tuple[int, ...]
    faults: tuple[PairFault, ...]


@dataclass(frozen=True)
class StratumOfPairs:
    """One stratum: its study, or the reason why there is none."""

    name: str
    level: str
    sales: int
    study: RatioStudy | None
    reason: str | None


def read_pairs(pairs: Sequence[tuple[Any, Any]], *, written: bool) -> Pairs:
    """Check (value, price) pairs; `written` takes numbers as text, as files have them ("$1,234.50")."""
    faults, rows, positions = [], [], []
    for position, pair in enumerate(pairs):
        numbers = [_number(member, written=written) for member in pair]
        sides: tuple[Side, Side] = ("value", "price")
        pair_faults = [
            PairFault(position, side, n) for side, n in zip(sides, numbers, strict=True) if isinstance(n, str)
        ]
        faults += pair_faults
        if not pair_faults:
            rows.append(numbers)
            positions.append(position)
    columns = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return Pairs(columns[:, 0], columns[:, 1], tuple(positions), tuple(faults))


def study_pairs(
    pairs: Pairs, strata: Mapping[str, Sequence[Any]], kind: Uniformity | None, options: Options
) -> tuple[RatioStudy, list[StratumOfPairs]]:
    """Study the pairs together, and in the strata of columns (one value a usable pair).

    Raises InsufficientSalesError where there are too few.
    """
    overall = study(pairs.value, pairs.price, kind, options)
    level = overall.statistics["median"].value
    by_stratum = []
    for name, column in strata.items():
        labels = of_values(column)
        for label in np.unique(labels):
            members = labels == label
            stratum_study, reason = None, None
            try:
                stratum_study = study(pairs.value[members], pairs.price[members], kind, options, level)
            except InsufficientSalesError as error:
                reason = f"{error.problem}."
            by_stratum.append(StratumOfPairs(name, str(label), int(members.sum()), stratum_study, reason))
    return overall, by_stratum


def _number(value: Any, *, written: bool) -> float | str:
    """The number, or what is wrong with it."""
    if isinstance(value, bool) or value is None:
        return "is missing" if value is None else "is no number"
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return "is missing"
        number = _from_text(text) if written else None
        if number is None:
            return f"is the text {text[:40]!r}, and no number"
    elif isinstance(value, int | float | Decimal):
        number = _as_float(value)
    else:
        return "is no number"
    if not math.isfinite(number):
        return "is no finite number"
    return number if number > 0 else f"is {number:g}: a ratio needs numbers above zero"


def _from_text(text: str) -> float | None:
    try:
        return float(text.replace("$", "").replace(",", ""))
    except ValueError:
        return None


def _as_float(value: int | float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
