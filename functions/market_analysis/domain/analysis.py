"""The market of a county by month. Pure: evidence in, results out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from functions.market_analysis.domain.areas import compare_areas
from functions.market_analysis.domain.measures import dollars, median_dollars, month_name, price_per_area
from functions.market_analysis.domain.parameters import MIDDLE_OF_MONTH
from functions.market_analysis.domain.reliability import MonthIndex, caution, is_reliable, month_index
from functions.market_analysis.schemas import (
    AdjustmentFactor,
    AnnualChange,
    Grouping,
    Market,
    MarketAnalysisRequest,
    MarketAnalysisResults,
    Month,
    RepeatSales,
    TimeAdjustment,
)
from shared.appraisal.arrays import FloatArray, IntArray, TextArray
from shared.appraisal.columns import Sales
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.market_index import HedonicMarket, MonthlyIndex, fit_market
from shared.appraisal.repeat_sales import RepeatSalesIndex, pair_sales, repeat_sales_index
from shared.appraisal.time_trend import month_numbers
from shared.evidence import Evidence
from shared.progress import ReportProgress

ALL_SALES = "all sales"
_UNKNOWN = "(unknown)"


def analyze(
    request: MarketAnalysisRequest, evidence: Evidence, excluded: dict[str, int], progress: ReportProgress
) -> MarketAnalysisResults:
    """Analyze all sales of the period together and, where requested, each group of them.

    `excluded` counts the county's other sales by reason.
    """
    day = evidence.sales.sale_day
    in_period = (day >= request.sale_from.toordinal()) & (day <= request.sale_to.toordinal())
    priced = evidence.sales.sale_price > 0
    rows = np.flatnonzero(in_period & priced).astype(np.int64)
    valuation_date = request.valuation_date
    overall = _market(None, ALL_SALES, evidence, rows, valuation_date)
    markets: list[tuple[Grouping, Market, Sales]] = []
    for grouping in request.group_by:
        labels = _labels(grouping, evidence, rows)
        groups = np.unique(labels)
        for number, group in enumerate(groups):
            progress(number + 1, len(groups), f"{grouping} {group}")
            members = rows[labels == group]
            market = _market(grouping, str(group), evidence, members, valuation_date)
            markets.append((grouping, market, evidence.sales.take(members)))
    reasons = {
        **excluded,
        "outside_period": int((~in_period).sum()),
        "no_price": int((in_period & ~priced).sum()),
    }
    return MarketAnalysisResults(
        sale_from=request.sale_from,
        sale_to=request.sale_to,
        valuation_date=valuation_date,
        group_by=request.group_by,
        overall=overall,
        groups=tuple(market for _, market, _ in markets),
        areas=tuple(compare_areas(overall, evidence.sales.take(rows), markets)),
        sales_excluded={reason: count for reason, count in reasons.items() if count},
    )


def _labels(grouping: Grouping, evidence: Evidence, rows: IntArray) -> TextArray:
    by_class = grouping == "property_class"
    labels = evidence.property_class if by_class else evidence.sales.characteristics.neighborhood
    return np.where(labels[rows] == "", _UNKNOWN, labels[rows])


@dataclass(frozen=True)
class _Indices:
    """The regression and the two indices of a market, each with the reason where there is none."""

    regression: HedonicMarket | None
    hedonic: MonthlyIndex | None
    reason: str | None
    repeat: RepeatSalesIndex | None
    repeat_reason: str | None


def _market(
    grouping: Grouping | None, group: str, evidence: Evidence, rows: IntArray, valuation_date: date | None
) -> Market:
    sales = evidence.sales.take(rows)
    month = month_numbers(sales.sale_day)
    indices = _indices(np.array(evidence.property_ids, dtype=np.str_)[rows], sales, month)
    hedonic, repeat = indices.hedonic, indices.repeat
    remark = caution(hedonic, f"{len(sales):,} sales") if hedonic else None
    repeat_remark = caution(repeat, f"{repeat.pairs:,} properties sold twice") if repeat else None
    shown, repeat_shown = hedonic and is_reliable(hedonic), repeat and is_reliable(repeat)
    return Market(
        grouping=grouping,
        group=group,
        sales=len(sales),
        base_month=month_name(int(hedonic.month[0])) if hedonic and shown else None,
        annual_change=_annual_change(hedonic) if hedonic else None,
        months=_months(sales, month, indices),
        reason=indices.reason if shown or not hedonic else remark,
        note=remark if shown else None,
        repeat_sales=RepeatSales(
            pairs=repeat.pairs if repeat else 0,
            base_month=month_name(int(repeat.month[0])) if repeat and repeat_shown else None,
            reason=indices.repeat_reason if repeat_shown or not repeat else repeat_remark,
            note=repeat_remark if repeat_shown else None,
        ),
        time_adjustment=_time_adjustment(sales, valuation_date, indices.regression) if valuation_date else None,
    )


def _indices(property_id: TextArray, sales: Sales, month: IntArray) -> _Indices:
    regression, reason, repeat, repeat_reason = None, None, None, None
    try:
        regression = fit_market(sales)
    except AppraisalInputError as error:
        reason = f"{error.problem}."
    try:
        repeat = repeat_sales_index(pair_sales(property_id, sales.sale_day, month, sales.sale_price))
    except AppraisalInputError as error:
        repeat_reason = f"{error.problem}."
    return _Indices(regression, regression.index() if regression else None, reason, repeat, repeat_reason)


def _annual_change(index: MonthlyIndex) -> AnnualChange:
    change, error = index.annual_change()
    return AnnualChange(
        percent=round(100.0 * float(np.expm1(change)), 3),
        standard_error=round(100.0 * float(np.exp(change)) * error, 3),
    )


def _months(sales: Sales, month: IntArray, indices: _Indices) -> tuple[Month, ...]:
    if not len(sales):
        return ()
    per_area = price_per_area(sales)
    order = np.argsort(month, kind="stable")
    numbers, starts = np.unique(month[order], return_index=True)
    return tuple(
        _month(int(number), sales.sale_price[members], per_area[members], indices)
        for number, members in zip(numbers, np.split(order, starts[1:]), strict=True)
    )


def _month(number: int, price: FloatArray, per_area: FloatArray, indices: _Indices) -> Month:
    hedonic, repeat = (
        month_index(index, number) if index is not None and is_reliable(index) else MonthIndex()
        for index in (indices.hedonic, indices.repeat)
    )
    return Month(
        month=month_name(number),
        sales=price.size,
        volume=dollars(float(price.sum())),
        median_price=dollars(float(np.median(price))),
        median_price_per_sqft=median_dollars(per_area),
        index=hedonic.index,
        standard_error=hedonic.standard_error,
        uncertain=hedonic.uncertain,
        repeat_sales_index=repeat.index,
        repeat_sales_standard_error=repeat.standard_error,
        repeat_sales_uncertain=repeat.uncertain,
    )


def _time_adjustment(sales: Sales, valuation_date: date, regression: HedonicMarket | None) -> TimeAdjustment:
    """Factors by the sales before the valuation date alone; `regression` is that on all of them, where there is one."""
    before = sales.take(sales.sale_day < valuation_date.toordinal())
    try:
        market = regression if regression and len(before) == len(sales) else fit_market(before)
        trend = market.trend(valuation_date.toordinal())
    except AppraisalInputError as error:
        return TimeAdjustment(valuation_date=valuation_date, sales=len(before), factors=(), reason=f"{error.problem}.")
    numbers = np.unique(month_numbers(before.sale_day))
    middles = np.array([_middle(int(number)) for number in numbers], dtype=np.float64)
    # the trend is known from its first to its last sale: a month that it covers in part has its nearest day's factor
    middles = np.clip(middles, trend.first_day, trend.last_day)
    factors = tuple(
        AdjustmentFactor(
            month=month_name(int(number)),
            factor=round(float(factor), 5),
            standard_error_percent=round(100 * float(error), 3),
        )
        for number, factor, error in zip(numbers, trend.factor(middles), trend.standard_error(middles), strict=True)
    )
    return TimeAdjustment(valuation_date=valuation_date, sales=trend.sales, factors=factors, reason=None)


def _middle(number: int) -> int:
    return date(number // 12, number % 12 + 1, 1).toordinal() + MIDDLE_OF_MONTH
