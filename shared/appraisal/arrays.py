"""Array types, and the checks every ratio statistic makes of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import MIN_SALES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
TextArray = NDArray[np.str_]
FloatLike = FloatArray | NDArray[Any] | Sequence[float]


def positive_numbers(name: str, values: FloatLike, minimum: int = MIN_SALES) -> FloatArray:
    """`values` as a one-dimensional float array, all finite and above zero.

    Raises AppraisalInputError naming `name` for text, NaN, infinities, zeros, negatives and fewer than
    `minimum` values.
    """
    array = finite_numbers(name, values, minimum)
    if (array <= 0).any():
        raise AppraisalInputError(name, f"every value must be above zero; {_first(array, array <= 0)}")
    return array


def finite_numbers(name: str, values: FloatLike, minimum: int = MIN_SALES) -> FloatArray:
    """`values` as a one-dimensional float array of at least `minimum` finite numbers."""
    raw = np.asarray(values)
    if raw.size == 0 and minimum > 0:
        raise AppraisalInputError(name, f"is empty; at least {minimum} values are needed")
    if raw.dtype.kind == "O":
        raw = _from_objects(name, raw)
    if raw.dtype.kind not in "iuf":
        raise AppraisalInputError(name, f"must hold numbers, not values of type {raw.dtype}")
    if raw.ndim != 1:
        raise AppraisalInputError(name, f"must have one dimension, not {raw.ndim}")
    if raw.size < minimum:
        raise AppraisalInputError(name, f"at least {minimum} values are needed and there are {raw.size}")
    array = raw.astype(np.float64, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        raise AppraisalInputError(name, f"every value must be a finite number; {_first(array, ~finite)}")
    return array


def sales_pair(estimate: FloatLike, sale_price: FloatLike, minimum: int = MIN_SALES) -> tuple[FloatArray, FloatArray]:
    """Checked estimates and sale prices of the same sales, both above zero and of one length."""
    estimates = positive_numbers("estimate", estimate, minimum)
    prices = positive_numbers("sale_price", sale_price, minimum)
    if estimates.size != prices.size:
        raise AppraisalInputError(
            "sale_price",
            f"has {prices.size} values and estimate has {estimates.size}; they must be the same sales",
        )
    return estimates, prices


def spread(values: FloatArray, positions: IntArray, size: int) -> FloatArray:
    """`values` (n, ...) at `positions` of an array with `size` rows that is otherwise NaN."""
    full = np.full((size, *values.shape[1:]), np.nan)
    full[positions] = values
    return full


def spread_mask(mask: BoolArray, positions: IntArray, size: int) -> BoolArray:
    """`mask` (n,) at `positions` of an array of `size` that is otherwise False."""
    full = np.zeros(size, dtype=np.bool_)
    full[positions] = mask
    return full


def _from_objects(name: str, raw: NDArray[Any]) -> FloatArray:
    """Decimals and integers of any size are numbers; text that looks like a number is not."""
    if any(isinstance(value, str | bytes | bool) or value is None for value in raw.ravel()):
        raise AppraisalInputError(name, "must hold numbers, not text or missing values")
    try:
        return raw.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise AppraisalInputError(name, "must hold numbers") from error


def _first(array: FloatArray, wrong: BoolArray) -> str:
    position = int(np.flatnonzero(wrong)[0])
    return f"{int(wrong.sum())} are not, the first is {array[position]} at position {position}"
