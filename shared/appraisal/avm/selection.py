"""Selection of the sales that a model is fitted to, and the reasons of the others' exclusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.avm.parameters import IMPLAUSIBLE_DEVIATIONS, IMPLAUSIBLE_FACTOR, MAX_PRICE_FACTOR
from shared.appraisal.avm.results import Exclusion
from shared.appraisal.columns import Sales
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.hedonic import fit_hedonic
from shared.appraisal.parameters import DAYS_PER_YEAR, MAX_SALES_FOR_MODEL, MIN_SALES_FOR_MODEL


@dataclass(frozen=True)
class Selection:
    """`rows` are the positions of the sales to use, `excluded` those of the others by reason."""

    rows: IntArray
    excluded: Mapping[Exclusion, IntArray]


def select_sales(sales: Sales, on: int) -> Selection:
    """The sales before `on` that are evidence of what such properties are worth.

    A price is implausible when a regression on all of them would put it 2.5 times away (or four robust deviations,
    where prices scatter that much): it is then no evidence of the property as it is described. Where the property
    was built in the year of the sale or later, it was the lot that was sold. Raises InsufficientSalesError when fewer
    than 50 sales are left.
    """
    reasons = _stated_reasons(sales, on)
    absurd = _absurd(sales, ~np.any(list(reasons.values()), axis=0))
    candidates = np.flatnonzero(~absurd & ~np.any(list(reasons.values()), axis=0))
    _require_enough(candidates.size)
    if candidates.size > MAX_SALES_FOR_MODEL:
        latest = candidates[np.argsort(-sales.sale_day[candidates], kind="stable")]
        reasons["older_than_needed"] = _mask(len(sales), latest[MAX_SALES_FOR_MODEL:])
        candidates = np.sort(latest[:MAX_SALES_FOR_MODEL])
    implausible = candidates[_implausible(sales.take(candidates), on)]
    before_built = implausible[_unfinished(sales.take(implausible))]
    reasons["sold_before_built"] = _mask(len(sales), before_built)
    reasons["implausible_price"] = absurd | _mask(len(sales), np.setdiff1d(implausible, before_built))
    rows = np.setdiff1d(candidates, implausible)
    _require_enough(rows.size)
    excluded = _first_reasons(reasons)
    return Selection(
        rows.astype(np.int64), {reason: positions for reason, positions in excluded.items() if positions.size}
    )


def _stated_reasons(sales: Sales, on: int) -> dict[Exclusion, BoolArray]:
    price, area = sales.sale_price, sales.characteristics.living_area_sqft
    priced = np.isfinite(price) & (price > 0)
    sized = np.isfinite(area) & (area > 0)
    return {"on_or_after_valuation_date": sales.sale_day >= on, "no_price": ~priced, "no_living_area": ~sized}


def _absurd(sales: Sales, fine: BoolArray) -> BoolArray:
    """Prices per area twenty times away from the median: a regression should not see them at all."""
    per_area = np.full(len(sales), np.nan)
    per_area[fine] = np.log(sales.sale_price[fine] / sales.characteristics.living_area_sqft[fine])
    median = float(np.median(per_area[fine])) if fine.any() else 0.0
    return np.asarray(np.abs(per_area - median) > np.log(MAX_PRICE_FACTOR))


def _implausible(sales: Sales, on: int) -> BoolArray:
    hedonic = fit_hedonic(sales, on)
    limit = max(float(np.log(IMPLAUSIBLE_FACTOR)), IMPLAUSIBLE_DEVIATIONS * hedonic.scale)
    return np.asarray(np.abs(hedonic.residual) > limit)


def _unfinished(sales: Sales) -> BoolArray:
    """Mask of properties built in the year of their sale or later."""
    return np.asarray(sales.characteristics.year_built >= _year(sales.sale_day.astype(np.float64)))


def _year(day: FloatArray) -> FloatArray:
    return np.floor(day / DAYS_PER_YEAR + 1.0)


def _first_reasons(reasons: Mapping[Exclusion, BoolArray]) -> dict[Exclusion, IntArray]:
    taken: BoolArray | None = None
    by_reason: dict[Exclusion, IntArray] = {}
    for reason, mask in reasons.items():
        by_reason[reason] = np.flatnonzero(mask if taken is None else mask & ~taken).astype(np.int64)
        taken = mask if taken is None else taken | mask
    return by_reason


def _mask(size: int, rows: IntArray) -> BoolArray:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask


def _require_enough(number: int) -> None:
    if number < MIN_SALES_FOR_MODEL:
        raise InsufficientSalesError("sales", number, MIN_SALES_FOR_MODEL, "a valuation model")
