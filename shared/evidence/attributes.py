"""Which of a county's own attributes (JSON) can explain prices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray, TextArray

_OPINIONS_OF_VALUE = re.compile(
    r"value|price|apprais|assess|market|taxable|(^|_)(val|tax|avm|ratio)(_|$)|avalue|(^|_)id$|latitude|longitude", re.I
)
"""Names of what somebody thought the property worth, or of keys: a model that reads them learns nothing else."""
_MOST_ATTRIBUTES = 40
_MOST_LEVELS = 40
_FEWEST_KNOWN = 0.005
"""Legacy systems write a view, a pool or a basement where there is one, and nothing where there is none."""
_FEWEST_SALES = 5

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class AttributeKinds:
    """The attributes that are read as numbers, and those read as codes; and whether the property's class is one."""

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    property_class: bool = False


def kinds_of(rows: Sequence[Attributes]) -> AttributeKinds:
    """Decide from sold properties: known for 5 and 0.5 % of them, numbers throughout or few codes, no opinion of value.

    An attribute known for few of them may have one level: that it is there is what it says.
    """
    known: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    levels: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if value is None or isinstance(value, dict | list):
                continue
            known[name] += 1
            numbers[name] += isinstance(value, int | float)
            seen = levels.setdefault(name, set())
            if len(seen) <= _MOST_LEVELS:
                seen.add(str(value))
    usable = [
        name
        for name, count in known.most_common()
        if count >= max(_FEWEST_KNOWN * len(rows), _FEWEST_SALES)
        and (len(levels[name]) > 1 or count < len(rows))
        and not _OPINIONS_OF_VALUE.search(name)
    ]
    numeric = [name for name in usable if numbers[name] == known[name]]
    categorical = [name for name in usable if numbers[name] == 0 and len(levels[name]) <= _MOST_LEVELS]
    kept = set((numeric + categorical)[:_MOST_ATTRIBUTES])
    return AttributeKinds(
        tuple(sorted(name for name in numeric if name in kept)),
        tuple(sorted(name for name in categorical if name in kept)),
    )


def numeric_column(rows: Sequence[Attributes], name: str) -> FloatArray:
    """One attribute as numbers; NaN where it is unknown or no number."""
    values = (row.get(name) for row in rows)
    return np.array([float(v) if isinstance(v, int | float) else np.nan for v in values], dtype=np.float64)


def categorical_column(rows: Sequence[Attributes], name: str) -> TextArray:
    """One attribute as codes; "" where it is unknown."""
    values = (row.get(name) for row in rows)
    return np.array(["" if v is None else str(v) for v in values], dtype=np.str_)
