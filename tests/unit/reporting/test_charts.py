"""Charts: everything that is drawn lies inside the square, whatever the figures."""

from collections.abc import Iterator
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from functions.reporting.domain.contents import Bar, Dots, Drawing, Label, Line, Point
from functions.reporting.render.charts.axis import round_axis
from functions.reporting.render.charts.contribution_bars import contribution_bars
from functions.reporting.render.charts.ratio_map import ratio_map
from functions.reporting.render.charts.ratios import histogram, month_trend, scatter
from functions.reporting.render.charts.value_bars import ValueBar, value_bars
from functions.reporting.reports.finished_study import results_model
from tests.unit.reporting.example_study import results, studied_sales, with_figures

LEVEL = (0.9, 1.1)
EPSILON = 1e-4
money = st.decimals(-(10**9), 10**9, places=2)


def points(drawing: Drawing) -> Iterator[Point]:
    for shape in drawing.shapes:
        match shape:
            case Bar():
                yield from ((shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height))
            case Dots() | Line():
                yield from shape.points
            case Label():
                yield shape.at
    yield from ((tick.at, 0) for tick in drawing.x_ticks)
    yield from ((0, tick.at) for tick in drawing.y_ticks)


def assert_inside(drawing: Drawing | None) -> None:
    assert drawing is not None
    assert drawing.alternative
    for x, y in points(drawing):
        assert -EPSILON <= x <= 1 + EPSILON
        assert -EPSILON <= y <= 1 + EPSILON


@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(0.001, 50)), min_size=1, max_size=30))
def test_a_scatter_holds_every_sale(pairs: list[tuple[float, float]]) -> None:
    prices, ratios = zip(*pairs, strict=True)
    flags = tuple(number % 3 == 0 for number in range(len(pairs)))
    sales = studied_sales().model_copy(update={"prices": prices, "ratios": ratios, "trimmed": flags})
    drawing = scatter(sales, LEVEL)
    assert_inside(drawing)
    assert drawing is not None
    assert sum(len(shape.points) for shape in drawing.shapes if isinstance(shape, Dots)) == len(pairs)


def test_the_charts_of_a_study_lie_inside() -> None:
    study = results_model(with_figures(results()))
    assert_inside(histogram(study.ratio_bins))
    assert_inside(month_trend(study.months, LEVEL))
    assert (histogram(()), month_trend(study.months[:1], LEVEL), ratio_map([], {}, LEVEL)) == (None, None, None)


@given(st.lists(st.tuples(money, money), min_size=1, max_size=20))
def test_bars_of_values_lie_inside(pairs: list[tuple[Decimal, Decimal]]) -> None:
    drawing = value_bars("Values", [ValueBar(str(number), *pair) for number, pair in enumerate(pairs)])
    if drawing is not None and all(land >= 0 and built >= 0 for land, built in pairs):
        assert_inside(drawing)


@given(st.lists(money, min_size=1, max_size=20))
def test_bars_of_contributions_lie_inside(amounts: list[Decimal]) -> None:
    drawing = contribution_bars("Contributions", [(str(number), amount) for number, amount in enumerate(amounts)])
    assert (drawing is None) == (not any(amounts))
    if drawing is not None:
        assert_inside(drawing)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9))
def test_an_axis_of_round_marks_holds_every_value(values: list[float]) -> None:
    axis = round_axis(values)
    assert axis.low <= min(values) + EPSILON
    assert axis.high >= max(values) - EPSILON
    assert len(axis.ticks(str)) <= 12
