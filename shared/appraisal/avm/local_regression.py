"""Local regression: the residual log price around a place, for a home like this one, from its nearest sales alone.

The regression of the whole county has one price for a square foot and one for a year of age; here each place has its
own. Ridge regression on how the sales differ from the property, so that the constant is what a home like it brings
there beyond the county's regression, and the slopes are what size, land and age bring there beyond it. Nearer sales
count more; the slopes are drawn to none, which keeps a hundred and fifty sales from saying more than they know.
"""

from __future__ import annotations

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.parameters import (
    LOCAL_CONSTANT_PENALTY,
    LOCAL_SLOPE_PENALTY,
    LOCAL_WIDTH_KM,
)


def fit_locally(distance_km: FloatArray, difference: FloatArray, residual: FloatArray) -> FloatArray:
    """Constant and slopes of m properties from k sales each; shape (m, 1 + traits).

    `distance_km` (m, k) increases along the sales; `difference` (m, k, traits) is by how many deviations the sales'
    traits exceed the property's; `residual` (m, k) is what the county's regression leaves of the sales' log prices.
    """
    width = np.maximum(distance_km[:, -1:] / 2.0, LOCAL_WIDTH_KM)
    weight = np.exp(-distance_km / width)
    design = np.concatenate([np.ones((*distance_km.shape, 1)), difference], axis=2)
    weighted = (design * weight[:, :, None]).transpose(0, 2, 1)
    penalty = np.diag([LOCAL_CONSTANT_PENALTY, *[LOCAL_SLOPE_PENALTY] * difference.shape[2]])
    coefficients = np.linalg.solve(weighted @ design + penalty, weighted @ residual[:, :, None])
    return np.asarray(coefficients[:, :, 0], dtype=np.float64)
