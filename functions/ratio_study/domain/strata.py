"""The strata of a study's sales."""

from __future__ import annotations

import numpy as np

from functions.ratio_study.domain.study_sales import StudySales
from shared.appraisal.arrays import FloatArray, IntArray, TextArray
from shared.appraisal.ratio_statistics import value_proxy
from shared.appraisal.strata import UNKNOWN, of_values, parts
from shared.appraisal.time_trend import month_numbers

_QUARTERS = ("1 lowest", "2", "3", "4 highest")


def stratum_labels(
    name: str, sales: StudySales, rows: IntArray, estimate: FloatArray, price: FloatArray, median: float
) -> TextArray:
    """The label of each sale's stratum.

    `name` is the stratification, `rows` are the places of the studied sales in the evidence; `estimate`, `price` and
    the overall `median` ratio are those of the studied sales.
    Strata by price go by the value proxy (the mean of price and level-corrected estimate): by the price alone any
    study would look regressive.
    """
    evidence = sales.evidence
    match name:
        case "neighborhood":
            return _or_unknown(evidence.sales.characteristics.neighborhood[rows])
        case "property_class":
            return _or_unknown(evidence.property_class[rows])
        case "city":
            return _or_unknown(evidence.city[rows])
        case "quality":
            return _or_unknown(evidence.sales.characteristics.quality[rows])
        case "sale_quarter":
            months = month_numbers(evidence.sales.sale_day[rows])
            return np.array([f"{month // 12}-Q{month % 12 // 3 + 1}" for month in months], dtype=np.str_)
        case "price_quartile":
            return parts(value_proxy(estimate, price, median), _QUARTERS)
        case "price_decile":
            names = ("01 lowest", *(f"{number:02}" for number in range(2, 10)), "10 highest")
            return parts(value_proxy(estimate, price, median), names)
        case "size_quartile":
            return parts(evidence.sales.characteristics.living_area_sqft[rows], _QUARTERS)
        case _:
            column = sales.columns[name]
            return of_values([column[row] for row in rows])


def _or_unknown(names: TextArray) -> TextArray:
    return np.where(names == "", UNKNOWN, names)
