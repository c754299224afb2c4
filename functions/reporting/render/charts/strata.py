"""Charts of strata: medians with their intervals beside the range of the overall median."""

from collections.abc import Iterator
from typing import NamedTuple

from functions.reporting.domain.contents import Bar, Dots, Drawing, Line, Shape, Tick
from functions.reporting.domain.parameters import CHART_LIMITS, CHART_MIN_SPAN, MAX_CHART_STRATA
from functions.reporting.render.charts.axis import ratio_axis
from shared.contracts.ratio_study import RatioStudyResults, StratumResult
from shared.typesetting import display

_PITCH = 12.0
"""Points from one row to the next."""


class _Point(NamedTuple):
    """A stratum in a chart: its name, its sales, its median ratio and the interval's ends."""

    name: str
    sales: int
    low: float
    median: float
    high: float


def strata_chart(results: RatioStudyResults, stratification: str) -> Drawing | None:
    """The medians of the strata with most sales, in the study's order; None where no stratum has one."""
    strata = [stratum for stratum in results.strata if stratum.stratum == stratification]
    points = [point for stratum in strata if (point := _point(stratum)) is not None]
    if not points:
        return None
    min_sales = sorted((point.sales for point in points), reverse=True)[:MAX_CHART_STRATA][-1]
    points = [point for point in points if point.sales >= min_sales][:MAX_CHART_STRATA]
    axis = ratio_axis(
        (value for point in points for value in (point.low, point.median, point.high)),
        narrowest=CHART_MIN_SPAN,
        widest=CHART_LIMITS,
    )
    level = next(verdict for verdict in results.overall.verdicts if verdict.code == "median")
    low, high = axis.position(level.range_low), axis.position(level.range_high)

    def shapes() -> Iterator[Shape]:
        yield Bar(low, 0, high - low, 1, "band")
        yield Line([(axis.position(1), 0), (axis.position(1), 1)], "quiet", 0.7)
        for row, point in enumerate(points):
            height = _height(row, len(points))
            yield Line([(axis.position(point.low), height), (axis.position(point.high), height)], "second", 1.1)
        yield Dots(
            [(axis.position(point.median), _height(row, len(points))) for row, point in enumerate(points)], "ink", 2.4
        )

    title = display.name(f"Median ratio by {stratification.replace('_', ' ')}")
    return Drawing(
        title=title,
        alternative=(
            f"{title}: dots are the medians of {len(points)} strata, lines their confidence intervals, the band is"
            f" {display.interval(level.range_low, level.range_high, 2)}. The table below has the figures."
        ),
        shapes=list(shapes()),
        height=len(points) * _PITCH,
        x_ticks=axis.ticks(lambda value: display.decimals(round(value, 1), 1)),
        y_ticks=[
            Tick(_height(row, len(points)), display.name(point.name), is_line=False) for row, point in enumerate(points)
        ],
        margin=116,
    )


def _height(row: int, rows: int) -> float:
    """The height of a row's middle, the first row on top."""
    return round(1 - (row + 0.5) / rows, 5)


def _point(stratum: StratumResult) -> _Point | None:
    """A stratum's point; None where it has no median."""
    median = stratum.study.statistics.get("median") if stratum.study else None
    if stratum.study is None or median is None:
        return None
    low = median.value if median.low is None else median.low
    high = median.value if median.high is None else median.high
    return _Point(stratum.value, stratum.study.sales, low, median.value, high)
