"""The market of a county, month by month. Pure: evidence in, results out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from functions.market_analysis.schemas import Market, MarketAnalysisRequest, MarketAnalysisResults, Month
from shared.appraisal import InsufficientSalesError, MonthlyIndex, monthly_index
from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.time_trend import month_numbers
from shared.evidence import Evidence

Progress = Callable[[int, int | None, str], None]
ALL_SALES = "all sales"
_UNKNOWN = "(unknown)"


def analyse(
    request: MarketAnalysisRequest, evidence: Evidence, excluded: dict[str, int], progress: Progress
) -> MarketAnalysisResults:
    """Follow all sales of the period together and, where asked, each group of them."""
    day = evidence.sales.sale_day
    in_period = (day >= request.sale_from.toordinal()) & (day <= request.sale_to.toordinal())
    priced = evidence.sales.sale_price > 0
    rows = np.flatnonzero(in_period & priced).astype(np.int64)
    labels = _labels(request, evidence, rows)
    groups = np.unique(labels) if request.group_by != "none" else np.array([], dtype=np.str_)
    overall = _market(ALL_SALES, evidence, rows)
    followed = []
    for number, group in enumerate(groups):
        progress(number + 1, len(groups), f"{request.group_by} {group}")
        followed.append(_market(str(group), evidence, rows[labels == group]))
    reasons = {
        **excluded,
        "outside_period": int((~in_period).sum()),
        "no_price": int((in_period & ~priced).sum()),
    }
    return MarketAnalysisResults(
        sale_from=request.sale_from,
        sale_to=request.sale_to,
        group_by=request.group_by,
        overall=overall,
        groups=tuple(followed),
        sales_excluded={reason: count for reason, count in reasons.items() if count},
    )


def _labels(request: MarketAnalysisRequest, evidence: Evidence, rows: IntArray) -> TextArray:
    by_class = request.group_by == "property_class"
    labels = evidence.property_class if by_class else evidence.sales.characteristics.neighborhood
    return np.where(labels[rows] == "", _UNKNOWN, labels[rows])


def _market(group: str, evidence: Evidence, rows: IntArray) -> Market:
    sales = evidence.sales.take(rows)
    month = month_numbers(sales.sale_day)
    try:
        index = monthly_index(month, sales.sale_price, sales.characteristics, sales.sale_day.astype(np.float64))
        reason = None
    except InsufficientSalesError as error:
        none = np.zeros(0)
        index, reason = MonthlyIndex(np.zeros(0, dtype=np.int64), none, none), f"{error.problem}."
    months = tuple(
        _month(int(number), month == number, sales.sale_price, _area(evidence, rows), index)
        for number in np.unique(month)
    )
    base = _name(int(index.month[0])) if index.month.size else None
    return Market(group=group, sales=len(sales), base_month=base, months=months, reason=reason)


def _area(evidence: Evidence, rows: IntArray) -> FloatArray:
    area = evidence.sales.characteristics.living_area_sqft[rows]
    return np.where(area > 0, area, np.nan)


def _month(number: int, members: BoolArray, price: FloatArray, area: FloatArray, index: MonthlyIndex) -> Month:
    per_area = price[members] / area[members]
    known = per_area[np.isfinite(per_area)]
    place = np.flatnonzero(index.month == number)
    return Month(
        month=_name(number),
        sales=int(members.sum()),
        median_price=_dollars(float(np.median(price[members]))),
        median_price_per_sqft=_dollars(float(np.median(known))) if known.size else None,
        index=round(float(index.index[place[0]]), 3) if place.size else None,
        standard_error=round(float(index.standard_error[place[0]]), 3) if place.size else None,
    )


def _name(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _dollars(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"))
