"""The loss of the trees and the network: the error as a share of the price, which is what COD and MAPE count."""

from __future__ import annotations

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.parameters import LOSS_SCALE, MAX_LOG_ERROR


def slope_and_curvature(log_error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient and curvature, by log value, of the pseudo-Huber loss of estimate / price - 1; shapes (n,).

    Beyond a tenth of the price an error counts for its size, not its square: medians, not means, are wanted. Errors
    beyond a factor of e count as such, so that a deed for a dollar has no more say than another outlier.
    """
    ratio = np.exp(np.clip(log_error, -MAX_LOG_ERROR, MAX_LOG_ERROR))
    flat = 1.0 + ((ratio - 1.0) / LOSS_SCALE) ** 2
    # The curvature of a loss that grows no faster than its argument falls to 0; the steps must stay bounded.
    curvature = np.maximum(ratio**2 / flat**1.5, 1.0 / flat)
    return (ratio - 1.0) * ratio / np.sqrt(flat), curvature
