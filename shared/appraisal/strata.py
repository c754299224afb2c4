"""Strata by the values of a column: codes as they are, many different numbers cut into quartiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray, TextArray
from shared.appraisal.parameters import MAX_DISTINCT_NUMBERS

UNKNOWN = "(unknown)"


def of_values(values: Sequence[Any]) -> TextArray:
    """Strata by a column's own values; many different numbers are cut into quartiles, named by their bounds."""
    known = [value for value in values if value is not None and value != ""]
    numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(known) and len(set(numbers)) > MAX_DISTINCT_NUMBERS:
        return _ranges(np.array([np.nan if value is None or value == "" else value for value in values], dtype=float))
    return np.array([UNKNOWN if value is None or value == "" else _shown(value) for value in values], dtype=np.str_)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _ranges(values: FloatArray) -> TextArray:
    known = values[np.isfinite(values)]
    bounds = np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0])
    names = tuple(f"{number + 1}: {bounds[number]:g} to {bounds[number + 1]:g}" for number in range(4))
    return parts(values, names)


def parts(values: FloatArray, names: Sequence[str]) -> TextArray:
    """The quantile group of each value, of groups of equal size."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(values.size, UNKNOWN)
    inner = np.linspace(0.0, 1.0, len(names) + 1)[1:-1]
    part = np.searchsorted(np.quantile(values[known], inner), values, side="left")
    return np.where(known, np.array(names)[np.minimum(part, len(names) - 1)], UNKNOWN)
