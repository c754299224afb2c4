"""Where the dots and bars of the strata charts stand, as shares of the chart's width."""

from collections.abc import Iterable
from typing import Any

from functions.reporting import display
from functions.reporting.studies import StratumResult, StudyDocument

LEVEL = (0.90, 1.10)
"""The standard's range of the median ratio."""
_LEAST, _GREATEST = 0.4, 1.8
_STEP = 0.1
_MOST_ROWS = 40


def charts(document: StudyDocument) -> list[dict[str, Any]]:
    """For each stratification its strata's medians with their intervals, beside the range 0.90 to 1.10.

    The strata with most sales are drawn, in the study's order.
    """
    names = dict.fromkeys(stratum.stratum for stratum in document.strata)
    drawn = (_chart(name, [s for s in document.strata if s.stratum == name]) for name in names)
    return [chart for chart in drawn if chart is not None]


def _chart(name: str, strata: list[StratumResult]) -> dict[str, Any] | None:
    points = [point for stratum in strata if (point := _point(stratum)) is not None]
    if not points:
        return None
    fewest = sorted((sales for _, sales, *_ in points), reverse=True)[:_MOST_ROWS][-1]
    points = [point for point in points if point[1] >= fewest][:_MOST_ROWS]
    low, high = _scale(value for _, _, *values in points for value in values)

    def place(value: float) -> float:
        return round((min(max(value, low), high) - low) / (high - low), 5)

    steps = round((high - low) / _STEP)
    return {
        "title": display.name(f"Median ratio by {name.replace('_', ' ')}"),
        "band": [place(LEVEL[0]), place(LEVEL[1])],
        "one": place(1.0),
        "ticks": [
            {"at": place(low + step * _STEP), "label": display.decimals(round(low + step * _STEP, 1), 1)}
            for step in range(steps + 1)
        ],
        "rows": [
            {"name": display.name(label), "median": place(median), "low": place(least), "high": place(greatest)}
            for label, _, least, median, greatest in points
        ],
    }


def _point(stratum: StratumResult) -> tuple[str, int, float, float, float] | None:
    """A stratum's name, sales, and its interval's low end, median, and high end."""
    median = stratum.study.statistics.get("median") if stratum.study else None
    if stratum.study is None or median is None:
        return None
    low = median.value if median.low is None else median.low
    high = median.value if median.high is None else median.high
    return stratum.value, stratum.study.sales, low, median.value, high


def _scale(values: Iterable[float]) -> tuple[float, float]:
    """The ends of the axis, on tenths; what lies beyond the widest ends is drawn at them."""
    known = list(values)
    low = min(int(min(known) / _STEP) * _STEP, 0.8)
    high = max((int(max(known) / _STEP) + 1) * _STEP, 1.2)
    return round(max(low, _LEAST), 1), round(min(high, _GREATEST), 1)
