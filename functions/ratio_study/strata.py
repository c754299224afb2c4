"""Into which strata a study's sales fall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functions.ratio_study.repository import StudySales
from shared.appraisal.arrays import FloatArray, IntArray, TextArray
from shared.appraisal.ratio_statistics import value_proxy
from shared.appraisal.time_trend import month_numbers

UNKNOWN = "(unknown)"
MOST_PLAIN_NUMBERS = 12
"""A number with more values than these (bedrooms have fewer) is cut into quartiles."""
_QUARTERS = ("1 lowest", "2", "3", "4 highest")


def labels(
    name: str, sales: StudySales, rows: IntArray, estimate: FloatArray, price: FloatArray, median: float
) -> TextArray:
    """The stratum of each sale at `rows`; `estimate`, `price` and the overall `median` ratio are those of the sales.

    Strata by price go by the value proxy (the mean of price and level-corrected estimate): by the price alone any
    study would look regressive.
    """
    evidence = sales.evidence
    match name:
        case "neighborhood":
            return _known(evidence.sales.characteristics.neighborhood[rows])
        case "property_class":
            return _known(evidence.property_class[rows])
        case "city":
            return _known(evidence.city[rows])
        case "quality":
            return _known(evidence.sales.characteristics.quality[rows])
        case "sale_quarter":
            months = month_numbers(evidence.sales.sale_day[rows])
            return np.array([f"{month // 12}-Q{month % 12 // 3 + 1}" for month in months], dtype=np.str_)
        case "price_quartile":
            return _parts(value_proxy(estimate, price, median), _QUARTERS)
        case "price_decile":
            names = ("01 lowest", *(f"{number:02}" for number in range(2, 10)), "10 highest")
            return _parts(value_proxy(estimate, price, median), names)
        case "size_quartile":
            return _parts(evidence.sales.characteristics.living_area_sqft[rows], _QUARTERS)
        case _:
            column = sales.columns[name]
            return of_values([column[row] for row in rows])


def of_values(values: Sequence[Any]) -> TextArray:
    """Strata by a column's own values; many different numbers are cut into quartiles, named by their bounds."""
    known = [value for value in values if value is not None and value != ""]
    numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(known) and len(set(numbers)) > MOST_PLAIN_NUMBERS:
        return _ranges(np.array([np.nan if value is None or value == "" else value for value in values], dtype=float))
    return np.array([UNKNOWN if value is None or value == "" else _shown(value) for value in values], dtype=np.str_)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _known(names: TextArray) -> TextArray:
    return np.where(names == "", UNKNOWN, names)


def _ranges(values: FloatArray) -> TextArray:
    known = values[np.isfinite(values)]
    bounds = np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0])
    names = tuple(f"{number + 1}: {bounds[number]:g} to {bounds[number + 1]:g}" for number in range(4))
    return _parts(values, names)


def _parts(values: FloatArray, names: Sequence[str]) -> TextArray:
    """Which of the parts of equal size each value is in."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(values.size, UNKNOWN)
    inner = np.linspace(0.0, 1.0, len(names) + 1)[1:-1]
    place = np.searchsorted(np.quantile(values[known], inner), values, side="left")
    return np.where(known, np.array(names)[np.minimum(place, len(names) - 1)], UNKNOWN)
