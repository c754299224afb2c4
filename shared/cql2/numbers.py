"""Numbers of a filter."""

import math
from decimal import Decimal
from typing import Any

from shared.cql2.errors import FilterError


def is_number(value: Any) -> bool:
    """True for a number of JSON; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite_float(value: Any, pointer: str) -> float:
    """A coordinate. Raises FilterError for what is no number, or beyond a double's range."""
    if not is_number(value):
        raise FilterError(f"{value!r:.60} is no number.", pointer)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FilterError("A number is beyond the range of a double.", pointer)
    return number


def exact_decimal(value: int | float, pointer: str) -> Decimal:
    """The number as it was written: 0.1 is a tenth, which no double is. Raises FilterError."""
    finite_float(value, pointer)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
