"""Which of a county's own attributes (JSON) can explain prices, and how each is read.

A county that keeps what its mapping does not name has every attribute as text: a garage's area is then "528.0".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray, TextArray

_OPINIONS_OF_VALUE = re.compile(
    r"value|price|apprais|assess|taxable|avalue|latitude|longitude"
    r"|(^|_)(val|tax|avm|ratio)(_|$)|(^|_)market(_(total|land|bldg|building|impr?v?|improvements?))?$|(^|_)id$",
    re.I,
)
"""Names of what somebody thought the property worth, or of keys: a model that reads them learns nothing else."""
_WRITTEN_NUMBER = re.compile(r"\s*[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)\s*", re.ASCII)
"""Not with a leading zero: that is how codes are written."""
_MOST_ATTRIBUTES = 80
_MOST_LEVELS = 300
_MOST_LEVELS_IN_ALL = 1600
"""Each level is a column of the regression."""
_FEW_LEVELS = 40
_TWO = 2
"""Of two values a number says all that a code would."""
_SALES_A_LEVEL = 10
_FEWEST_NUMBERS = 0.98
"""Somebody writes "none" into a column of numbers."""
_FEWEST_KNOWN = 0.005
"""Legacy systems write a view, a pool or a basement where there is one, and nothing where there is none."""
_FEWEST_SALES = 5

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class AttributeKinds:
    """The attributes that are read as numbers, and those read as codes; and whether the property's class is one.

    A number of a few different values is among both.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    property_class: bool = False


@dataclass(frozen=True)
class _Seen:
    """What the sold properties have of one attribute: how many know it, and how many as a number, typed or written."""

    known: int
    typed: int
    written: int
    levels: int

    @property
    def is_number(self) -> bool:
        """Numbers, typed or written, but for a few words among them."""
        return self.typed + self.written >= _FEWEST_NUMBERS * self.known

    @property
    def is_code(self) -> bool:
        """Few levels, or more that are shared by many properties, as those of a subdivision are; not free text."""
        few = self.levels <= _FEW_LEVELS
        return self.typed == 0 and not self.is_number and (few or (self.levels <= _MOST_LEVELS and self._shared))

    @property
    def may_be_code(self) -> bool:
        """A number of a few different values is ordered, and may be a code all the same (of a grade, of a heating)."""
        return self.is_number and _TWO < self.levels <= _FEW_LEVELS and self._shared

    @property
    def _shared(self) -> bool:
        return self.known >= _SALES_A_LEVEL * self.levels


def kinds_of(rows: Sequence[Attributes]) -> AttributeKinds:
    """Decide from sold properties: known for 5 and 0.5 % of them, no opinion of value, and numbers or shared codes.

    An attribute known for few of them may have one level: that it is there is what it says. Of very many attributes
    those known for most are kept.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: _seen(Counter(filter(_is_known, (row.get(name) for row in rows)))) for name in names}
    usable = [
        (name, seen)
        for name, seen in sorted(found.items(), key=lambda item: -item[1].known)
        if seen.known >= max(_FEWEST_KNOWN * len(rows), _FEWEST_SALES)
        and (seen.levels > 1 or seen.known < len(rows))
        and not _OPINIONS_OF_VALUE.search(name)
    ]
    numeric = [name for name, seen in usable if seen.is_number][:_MOST_ATTRIBUTES]
    codes = [(name, seen) for name, seen in usable if seen.is_code][: _MOST_ATTRIBUTES - len(numeric)]
    both = [(name, seen) for name, seen in usable if seen.may_be_code and name in numeric]
    categorical: list[str] = []
    levels = 0
    for name, seen in (*codes, *both):
        if levels + seen.levels <= _MOST_LEVELS_IN_ALL:
            categorical.append(name)
            levels += seen.levels
    return AttributeKinds(tuple(sorted(numeric)), tuple(sorted(categorical)))


def _is_known(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and bool(value.strip()))


def _seen(counts: Mapping[Any, int]) -> _Seen:
    """From how many properties have each value."""
    texts = {value: count for value, count in counts.items() if isinstance(value, str)}
    known = sum(counts.values())
    return _Seen(
        known=known,
        typed=known - sum(texts.values()),
        written=sum(count for value, count in texts.items() if _WRITTEN_NUMBER.fullmatch(value)),
        levels=len({_code(value) for value in counts}),
    )


def numeric_column(rows: Sequence[Attributes], name: str) -> FloatArray:
    """One attribute as numbers; NaN where it is unknown or no number."""
    return np.array([_number(row.get(name)) for row in rows], dtype=np.float64)


def categorical_column(rows: Sequence[Attributes], name: str) -> TextArray:
    """One attribute as codes; "" where it is unknown or blank."""
    return np.array([_code(row.get(name)) for row in rows], dtype=np.str_)


def _code(value: Any) -> str:
    """A value as a code: 3, 3.0 and "3" are one."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _number(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    written = isinstance(value, str) and _WRITTEN_NUMBER.fullmatch(value)
    return float(value) if written else float("nan")
