"""Charts of strata: the positions of medians and their intervals, as shares of a chart's width."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from functions.reporting.domain.parameters import CHART_LIMITS, CHART_MIN_SPAN, CHART_STEP, MAX_CHART_STRATA
from shared.contracts.ratio_study import RatioStudyResults, StratumResult
from shared.typesetting import display


class _Point(NamedTuple):
    """A stratum in a chart: its name, its sales, its median ratio and the interval's ends."""

    name: str
    sales: int
    low: float
    median: float
    high: float


def strata_charts(results: RatioStudyResults) -> list[dict[str, Any]]:
    """For each stratification the medians of its strata with their intervals, beside the range of the overall median.

    The strata with most sales are drawn, in the study's order.
    """
    level = next((v.range_low, v.range_high) for v in results.overall.verdicts if v.code == "median")
    names = dict.fromkeys(stratum.stratum for stratum in results.strata)
    charts = (_chart(name, [s for s in results.strata if s.stratum == name], level) for name in names)
    return [chart for chart in charts if chart is not None]


def _chart(name: str, strata: list[StratumResult], level: tuple[float, float]) -> dict[str, Any] | None:
    points = [point for stratum in strata if (point := _point(stratum)) is not None]
    if not points:
        return None
    min_sales = sorted((point.sales for point in points), reverse=True)[:MAX_CHART_STRATA][-1]
    points = [point for point in points if point.sales >= min_sales][:MAX_CHART_STRATA]
    low, high = _axis(value for point in points for value in (point.low, point.median, point.high))

    def position(value: float) -> float:
        return round((min(max(value, low), high) - low) / (high - low), 5)

    ticks = [low + step * CHART_STEP for step in range(round((high - low) / CHART_STEP) + 1)]
    return {
        "title": display.name(f"Median ratio by {name.replace('_', ' ')}"),
        "band": [position(level[0]), position(level[1])],
        "one": position(1.0),
        "ticks": [{"at": position(tick), "label": display.decimals(round(tick, 1), 1)} for tick in ticks],
        "rows": [
            {
                "name": display.name(point.name),
                "median": position(point.median),
                "low": position(point.low),
                "high": position(point.high),
            }
            for point in points
        ],
    }


def _point(stratum: StratumResult) -> _Point | None:
    """A stratum's point; None where it has no median."""
    median = stratum.study.statistics.get("median") if stratum.study else None
    if stratum.study is None or median is None:
        return None
    low = median.value if median.low is None else median.low
    high = median.value if median.high is None else median.high
    return _Point(stratum.value, stratum.study.sales, low, median.value, high)


def _axis(values: Iterable[float]) -> tuple[float, float]:
    """The ends of the axis, on its steps; values beyond the widest ends are drawn at them."""
    finite_values = list(values)
    low = min(int(min(finite_values) / CHART_STEP) * CHART_STEP, CHART_MIN_SPAN[0])
    high = max((int(max(finite_values) / CHART_STEP) + 1) * CHART_STEP, CHART_MIN_SPAN[1])
    return round(max(low, CHART_LIMITS[0]), 1), round(min(high, CHART_LIMITS[1]), 1)
