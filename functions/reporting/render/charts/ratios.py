"""Charts of a ratio study: ratios against prices, their distribution, and the level by month."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from functions.reporting.domain.contents import Bar, Dots, Drawing, Line, Point, Shape, Tick
from functions.reporting.domain.parameters import CHART_LIMITS, CHART_MIN_SPAN, MAX_TICKS
from functions.reporting.render.charts.axis import ratio_axis
from functions.reporting.render.charts.columns import column_chart
from shared.contracts.ratio_study import MonthLevel, RatioBin, StudiedSales
from shared.typesetting import display

_HEIGHT = 150.0
_LEADING_DIGITS = (1, 2, 5)
"""Of the prices that are marked on their logarithmic axis."""
_MONTH_LABELS = 6
"""Months that are named below a chart as wide as half a page."""


def scatter(sales: StudiedSales, level: tuple[float, float]) -> Drawing | None:
    """Every sale by its price (on a logarithmic axis) and its ratio; outliers have a color of their own."""
    if not sales.ratios:
        return None
    low, high = math.log10(min(sales.prices)), math.log10(max(sales.prices))
    span = max(high - low, 0.1)
    axis = ratio_axis(sales.ratios, narrowest=CHART_MIN_SPAN, widest=CHART_LIMITS)

    def at(price: float, ratio: float) -> Point:
        return round((math.log10(price) - low) / span, 4), round(axis.position(ratio), 4)

    points = [at(price, ratio) for price, ratio in zip(sales.prices, sales.ratios, strict=True)]
    used = [point for point, trimmed in zip(points, sales.trimmed, strict=True) if not trimmed]
    outliers = [point for point, trimmed in zip(points, sales.trimmed, strict=True) if trimmed]
    first, last = axis.position(level[0]), axis.position(level[1])
    return Drawing(
        title="Ratio and price of each sale",
        alternative=(
            f"A dot for each of {display.count(len(used))} sales by its price, from {_dollars(min(sales.prices))} to"
            f" {_dollars(max(sales.prices))}, and its ratio; {display.count(len(outliers))} outliers are in red. The"
            f" band is {display.interval(*level, 2)}; ratios beyond the chart are drawn at its edge."
        ),
        shapes=[
            Bar(0, first, 1, last - first, "band"),
            Line([(0, axis.position(1)), (1, axis.position(1))], "quiet", 0.7),
            Dots(used, "ink", 0.7 if len(used) > 2000 else 1.1),
            Dots(outliers, "alarm", 1.1),
        ],
        height=_HEIGHT,
        x_ticks=list(_price_ticks(low, span)),
        y_ticks=axis.ticks(lambda value: display.decimals(round(value, 1), 1)),
        x_title="Price",
    )


def _price_ticks(low: float, span: float) -> Iterator[Tick]:
    exponents = range(math.floor(low), math.ceil(low + span) + 1)
    prices = [digit * 10.0**exponent for exponent in exponents for digit in _LEADING_DIGITS]
    seen = [price for price in prices if low <= math.log10(price) <= low + span]
    if len(seen) > MAX_TICKS:
        seen = [price for price in seen if math.log10(price).is_integer()]
    yield from (Tick(round((math.log10(price) - low) / span, 4), _dollars(price)) for price in seen)


def _dollars(price: float) -> str:
    """`$450K`, `$1.2M`."""
    for size, letter in ((1e6, "M"), (1e3, "K")):
        if price >= size:
            return f"${f'{price / size:.1f}'.removesuffix('.0')}{letter}"
    return f"${price:.0f}"


def histogram(bins: Sequence[RatioBin]) -> Drawing | None:
    """The numbers of sales by range of their ratio; None of a study that has none."""
    if not any(each.sales for each in bins):
        return None
    most = max(bins, key=lambda each: each.sales)
    return column_chart(
        "Distribution of the ratios",
        (
            f"A column for each range of {display.decimals(bins[0].high - bins[0].low, 2)}; most sales,"
            f" {display.count(most.sales)}, have a ratio of {display.interval(most.low, most.high, 2)}. The outer"
            " columns hold all beyond."
        ),
        [(display.decimals(each.low, 2), each.sales) for each in bins],
        x_title="Ratio, from",
        height=_HEIGHT,
        labels_every=4,
    )


def month_trend(months: Sequence[MonthLevel], level: tuple[float, float]) -> Drawing | None:
    """The median ratio of each month with its interval; None of fewer than two months."""
    if len(months) < 2:
        return None
    numbers = [month.month.year * 12 + month.month.month for month in months]
    first, span = numbers[0], numbers[-1] - numbers[0]
    ends = [(month.low or month.median, month.high or month.median) for month in months]
    axis = ratio_axis((end for pair in ends for end in pair), narrowest=CHART_MIN_SPAN, widest=CHART_LIMITS)
    across = [round(0.02 + 0.96 * (number - first) / span, 5) for number in numbers]
    medians = [(x, axis.position(month.median)) for x, month in zip(across, months, strict=True)]
    intervals: list[Shape] = [
        Line([(x, axis.position(low)), (x, axis.position(high))], "second", 1.1)
        for x, (low, high) in zip(across, ends, strict=True)
    ]
    every = math.ceil(len(months) / _MONTH_LABELS)
    low, high = axis.position(level[0]), axis.position(level[1])
    return Drawing(
        title="Median ratio by month of sale",
        alternative=(
            f"Dots are the medians of {len(months)} months with their confidence intervals, from"
            f" {display.decimals(months[0].median, 3)} in {_month(months[0])} to"
            f" {display.decimals(months[-1].median, 3)} in {_month(months[-1])}; the band is"
            f" {display.interval(*level, 2)}."
        ),
        shapes=[
            Bar(0, low, 1, high - low, "band"),
            Line([(0, axis.position(1)), (1, axis.position(1))], "quiet", 0.7),
            *intervals,
            Line(medians, "ink", 0.8),
            Dots(medians, "ink", 2),
        ],
        height=_HEIGHT,
        x_ticks=[
            Tick(x, _month(month), is_line=False)
            for number, (x, month) in enumerate(zip(across, months, strict=True))
            if number % every == 0
        ],
        y_ticks=axis.ticks(lambda value: display.decimals(round(value, 1), 1)),
        x_title="Month of sale",
    )


def _month(month: MonthLevel) -> str:
    return f"{month.month:%Y-%m}"
