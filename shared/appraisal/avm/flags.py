"""Flags: cautions about a value, from the property and from its comparables."""

from __future__ import annotations

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray
from shared.appraisal.avm.ensemble import Ensemble, Evaluation
from shared.appraisal.avm.flag_codes import FlagCode
from shared.appraisal.columns import Characteristics
from shared.appraisal.features import Number
from shared.appraisal.parameters import MAX_DAYS_BEYOND_SALES

_NEIGHBORHOOD = "neighborhood"

TEXTS: dict[FlagCode, str] = {
    "no_coordinates": "no coordinates: the location is that of the neighborhood",
    "unknown_neighborhood": "there are no sales in the neighborhood, or it is not known",
    "outside_sales_area": "the property lies outside the area where there are sales",
    "outside_data_seen": "a characteristic lies outside the range of the sales",
    "unusual_attribute": "a characteristic lies outside that of 99 in 100 sales",
    "unknown_attribute": "a characteristic is unknown, or a code never seen in the sales: a usual one is assumed",
    "few_comparables": "the comparables are less similar than for 19 in 20 past sales",
    "large_adjustments": "the adjustments are larger than for 19 in 20 past sales",
    "comparables_disagree": "the adjusted prices lie further apart than for 19 in 20 past sales",
    "models_disagree": "the models lie further apart than for 19 in 20 past sales",
    "extrapolated_time": f"the time trend is carried more than {MAX_DAYS_BEYOND_SALES} days past the last sale",
    "comparables_above_value": "every comparable's adjusted price lies above the value",
    "comparables_below_value": "every comparable's adjusted price lies below the value",
    "comparables_outside_interval": "the value by comparable sales lies outside the interval of the value",
}


def find_flags(
    ensemble: Ensemble, subjects: Characteristics, evaluation: Evaluation, difficulty_p95: FloatArray, on: int
) -> dict[FlagCode, BoolArray]:
    """Masks of the subjects with each flag; shapes (n,).

    `difficulty_p95` is the 95th percentile of past sales' difficulty.
    """
    day = np.full(len(subjects), float(ensemble.comparables.valuation_day))
    features = ensemble.comparables.hedonic.features
    unknown = features.unknown(subjects, day)
    numbers = [part for part in features.parts if isinstance(part, Number)]
    nowhere = np.zeros(len(subjects), dtype=np.bool_)
    beyond = np.any([nowhere, *(number.beyond(subjects, day) for number in numbers)], axis=0)
    rare = np.any([nowhere, *(_rare(ensemble, number, subjects, day) for number in numbers)], axis=0)
    missing = np.any([nowhere, *(mask > 0 for name, mask in unknown.items() if name != _NEIGHBORHOOD)], axis=0)
    hoods = ensemble.comparables.neighborhoods
    extrapolated = on - ensemble.comparables.hedonic.trend.last_day > MAX_DAYS_BEYOND_SALES
    spread, distance, gross, *disagreement = (evaluation.difficulty > difficulty_p95).T
    return {
        "no_coordinates": ~subjects.located,
        "unknown_neighborhood": ~np.isin(subjects.neighborhood, hoods) if hoods.size else nowhere,
        "outside_sales_area": subjects.located & ~evaluation.decomposition.inside,
        "outside_data_seen": beyond,
        "unusual_attribute": rare & ~beyond,
        "unknown_attribute": missing,
        "few_comparables": distance,
        "large_adjustments": gross,
        "comparables_disagree": spread,
        "models_disagree": disagreement[0] | disagreement[1],
        "extrapolated_time": nowhere | extrapolated,
    }


def _rare(ensemble: Ensemble, number: Number, subjects: Characteristics, day: FloatArray) -> BoolArray:
    low, high = ensemble.typical_ranges[number.source]
    value = number.read(subjects, day)
    return np.asarray((value < low) | (value > high))


def comparables_disagreement(
    adjusted: FloatArray, by_comparables: FloatArray, estimate: FloatArray, low: FloatArray, high: FloatArray
) -> dict[FlagCode, BoolArray]:
    """Mask of values that the comparables contradict; `adjusted` has shape (n, k), the others (n,), all of one day."""
    return {
        "comparables_above_value": np.asarray((adjusted > estimate[:, None]).all(axis=1)),
        "comparables_below_value": np.asarray((adjusted < estimate[:, None]).all(axis=1)),
        "comparables_outside_interval": (by_comparables < low) | (by_comparables > high),
    }
