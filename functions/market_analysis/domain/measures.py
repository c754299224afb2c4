"""Prices and months as an analysis shows them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Sales


def price_per_area(sales: Sales) -> FloatArray:
    """Dollars a square foot of living area; NaN where the area is not known. Shape (n,)."""
    area = sales.characteristics.living_area_sqft
    return np.asarray(sales.sale_price / np.where(area > 0, area, np.nan))


def dollars(value: float) -> Decimal:
    """An amount to the cent."""
    return Decimal(value).quantize(Decimal("0.01"))


def median_dollars(values: FloatArray) -> Decimal | None:
    """The median of the known values to the cent; None where none is known."""
    known = values[np.isfinite(values)]
    return dollars(float(np.median(known))) if known.size else None


def month_name(number: int) -> str:
    """`2014-05` of a month as `month_numbers` counts it."""
    return f"{number // 12:04}-{number % 12 + 1:02}"
