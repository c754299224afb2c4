"""Selection of a county's own attributes (JSON) that can explain prices, each as a number or as a code.

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
MAX_ATTRIBUTES = 80
MAX_CATEGORIES = 300
MAX_TOTAL_CATEGORIES = 1600
"""Choices that bound time and memory: each category is a column of the regression."""
MAX_UNSHARED_CATEGORIES = 40
"""Choice: codes of so few categories need not be shared by many properties."""
_BINARY = 2
"""Of two values a number says all that a code would."""
MIN_SALES_PER_CATEGORY = 10
"""Choice: on the average; the shrinkage of an encoding is of 10 sales too."""
MIN_NUMERIC_SHARE = 0.98
"""Choice: 1 in 50 may be a word, as a clerk writes "none" into a column of numbers."""
MIN_KNOWN_SHARE = 0.005
"""Legacy systems write a view, a pool or a basement where there is one, and nothing where there is none."""
MIN_KNOWN_SALES = 5

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
class _AttributeProfile:
    """Counts of one attribute over sold properties: known, as a JSON number, as a number in text, distinct values."""

    known: int
    as_number: int
    as_text: int
    categories: int

    @property
    def is_number(self) -> bool:
        """True for numbers, in JSON or in text, but for a few words among them."""
        return self.as_number + self.as_text >= MIN_NUMERIC_SHARE * self.known

    @property
    def is_code(self) -> bool:
        """Few categories, or more that are shared by many properties, as those of a subdivision are; not free text."""
        few = self.categories <= MAX_UNSHARED_CATEGORIES
        return (
            self.as_number == 0 and not self.is_number and (few or (self.categories <= MAX_CATEGORIES and self._shared))
        )

    @property
    def may_be_code(self) -> bool:
        """A number of a few different values is ordered, and may be a code all the same (of a grade, of a heating)."""
        return self.is_number and _BINARY < self.categories <= MAX_UNSHARED_CATEGORIES and self._shared

    @property
    def _shared(self) -> bool:
        return self.known >= MIN_SALES_PER_CATEGORY * self.categories


def infer_attribute_kinds(rows: Sequence[Attributes]) -> AttributeKinds:
    """Infer from sold properties the attributes to read: known for 5 and 0.5 % of them, numbers or shared codes.

    Opinions of value and keys are excluded. An attribute known for few of them may have one category: its presence is
    the information. Of very many attributes those known for most are taken.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    profiles = {name: _profile(Counter(filter(_is_known, (row.get(name) for row in rows)))) for name in names}
    usable = [
        (name, profile)
        for name, profile in sorted(profiles.items(), key=lambda item: -item[1].known)
        if profile.known >= max(MIN_KNOWN_SHARE * len(rows), MIN_KNOWN_SALES)
        and (profile.categories > 1 or profile.known < len(rows))
        and not _OPINIONS_OF_VALUE.search(name)
    ]
    numeric = [name for name, profile in usable if profile.is_number][:MAX_ATTRIBUTES]
    codes = [(name, profile) for name, profile in usable if profile.is_code][: MAX_ATTRIBUTES - len(numeric)]
    both = [(name, profile) for name, profile in usable if profile.may_be_code and name in numeric]
    categorical: list[str] = []
    categories = 0
    for name, profile in (*codes, *both):
        if categories + profile.categories <= MAX_TOTAL_CATEGORIES:
            categorical.append(name)
            categories += profile.categories
    return AttributeKinds(tuple(sorted(numeric)), tuple(sorted(categorical)))


def _is_known(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and bool(value.strip()))


def _profile(counts: Mapping[Any, int]) -> _AttributeProfile:
    """The profile of an attribute, from counts of properties by value."""
    texts = {value: count for value, count in counts.items() if isinstance(value, str)}
    known = sum(counts.values())
    return _AttributeProfile(
        known=known,
        as_number=known - sum(texts.values()),
        as_text=sum(count for value, count in texts.items() if _WRITTEN_NUMBER.fullmatch(value)),
        categories=len({_code(value) for value in counts}),
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
