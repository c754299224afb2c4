"""Where rows lie, and what becomes of faulty shapes."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from functions.gis_export.domain import shapes
from functions.gis_export.domain.shapes import LayerPart, ShapeOutcomes

SQUARE = shapely.box(-122.0, 47.0, -121.9, 47.1)
POLYGONS_AND_LINES = (("polygon", "MultiPolygon", ""), ("line", "MultiLineString", "_lines"))
BOW_TIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def counted(outcomes: ShapeOutcomes, rows: int) -> dict[str, int]:
    outcomes.count(np.ones(rows, dtype=np.bool_))
    return dict(outcomes.counts)


def encoded(*geometries: shapely.Geometry) -> list[bytes]:
    return [shapely.to_wkb(geometry, hex=True).encode() for geometry in geometries]


@pytest.mark.parametrize(
    ("types", "points", "points_only", "one_type", "expected"),
    [
        ({3, 6}, 0, False, False, [("polygon", "MultiPolygon", "")]),
        ({2}, 0, False, True, [("line", "MultiLineString", "")]),
        ({3}, 1, False, False, [("mixed", "Unknown", "")]),
        ({3}, 1, False, True, [("polygon", "MultiPolygon", ""), ("point", "Point", "_points")]),
        ({3, 5, 4}, 0, False, True, [*POLYGONS_AND_LINES, ("point", "MultiPoint", "_points")]),
        ({7}, 0, False, False, [("mixed", "Unknown", "")]),
        ({0}, 0, False, True, [*POLYGONS_AND_LINES, ("point", "Point", "_points")]),
        (set(), 5, False, True, [("point", "Point", "")]),
        (set(), 0, False, True, [("point", "Point", "")]),
        ({3}, 0, True, True, [("point", "Point", "")]),
    ],
)
def test_a_layer_has_the_narrowest_type_that_holds_its_rows(
    types: set[int], points: int, points_only: bool, one_type: bool, expected: list[tuple[str, str, str]]
) -> None:
    parts = shapes.layer_parts(types, points, points_only=points_only, one_type=one_type)
    assert parts == [LayerPart(*part) for part in expected]  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=20))
def test_only_places_on_earth_become_points(places: list[tuple[float, float]]) -> None:
    longitude, latitude = np.array(places, dtype=np.float64).T
    for point, (x, y) in zip(shapes.read_points(longitude, latitude), places, strict=True):
        if abs(x) <= 180 and abs(y) <= 90:
            assert (point.x, point.y) == (x, y)
        else:
            assert point is None


@given(st.binary(max_size=60))
def test_bytes_that_are_no_shape_are_passed_over_and_counted(junk: bytes) -> None:
    outcomes = ShapeOutcomes()
    shape = shapes.read_shapes([junk.hex().encode(), *encoded(SQUARE), b"\\N"], outcomes)
    assert shape[0] is None or np.isfinite(shapely.get_coordinates(shape[0])).all()
    counts = counted(outcomes, 3)
    assert shape[0] is not None or counts["unreadable"] + counts["empty"] == 1
    assert shape[1].equals(SQUARE)
    assert shape[2] is None


def test_what_is_empty_or_infinite_is_no_shape_and_heights_are_dropped() -> None:
    outcomes = ShapeOutcomes()
    infinite = shapely.Polygon([(0, 0), (1, 0), (1, math.inf), (0, 0)])
    shape = shapes.read_shapes(encoded(shapely.Polygon(), infinite, shapely.force_3d(SQUARE, 9.0)), outcomes)
    assert shape[:2].tolist() == [None, None]
    assert not shape[2].has_z
    assert shape[2].equals(SQUARE)
    counts = counted(outcomes, 3)
    assert (counts["empty"], counts["unreadable"]) == (1, 1)


def test_a_shape_that_crosses_itself_is_repaired_and_keeps_its_dimension() -> None:
    outcomes = ShapeOutcomes()
    spike = shapely.Polygon([(0, 0), (1, 0), (1, 1), (1, 3), (1, 1), (0, 1)])
    flat = shapely.Polygon([(0, 0), (1, 1), (2, 2), (0, 0)])
    bow_tie, without_spike, line = shapes.read_shapes(encoded(BOW_TIE, spike, flat), outcomes)
    assert bow_tie.equals(shapely.make_valid(BOW_TIE))
    assert without_spike.equals(shapely.box(0, 0, 1, 1))
    assert line is None
    counts = counted(outcomes, 3)
    assert (counts["repaired"], counts["empty"]) == (2, 1)


def test_rings_that_run_the_wrong_way_are_reversed_and_counted() -> None:
    outcomes = ShapeOutcomes()
    clockwise = shapely.orient_polygons(SQUARE, exterior_cw=True)
    first, second = shapes.read_shapes(encoded(clockwise, shapely.orient_polygons(SQUARE)), outcomes)
    assert first.exterior.is_ccw
    assert second.exterior.is_ccw
    assert counted(outcomes, 2)["reversed"] == 1


def test_a_point_layer_takes_a_point_inside_a_shape() -> None:
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    given_shapes = np.array([ring, SQUARE, None], dtype=object)
    given_points = np.array([None, shapely.Point(1, 2), None], dtype=object)
    located = shapes.locate(given_shapes, given_points, points_only=True)
    assert ring.contains(located[0])
    assert located[1] == shapely.Point(1, 2)
    assert located[2] is None


def test_single_geometries_become_multiple_ones_where_the_layer_declares_so() -> None:
    both = np.array([SQUARE, shapely.MultiPolygon([SQUARE])], dtype=object)
    assert [shape.geom_type for shape in shapes.promoted(both, "MultiPolygon")] == ["MultiPolygon"] * 2
    assert shapes.promoted(both, "Unknown") is both
