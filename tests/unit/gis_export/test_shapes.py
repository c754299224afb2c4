"""Where rows lie."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from functions.gis_export.domain import shapes

SQUARE = shapely.box(-122.0, 47.0, -121.9, 47.1)


def encoded(*geometries: shapely.Geometry) -> list[str]:
    return [shapely.to_wkb(geometry, hex=True) for geometry in geometries]


@pytest.mark.parametrize(
    ("types", "points", "points_only", "expected"),
    [
        ({3, 6}, 0, False, "MultiPolygon"),
        ({3}, 0, False, "MultiPolygon"),
        ({3}, 1, False, "Unknown"),
        ({3, 1}, 0, False, "Unknown"),
        ({0}, 0, False, "Unknown"),
        (set(), 5, False, "Point"),
        ({3}, 0, True, "Point"),
    ],
)
def test_a_layer_has_the_narrowest_type_that_holds_its_rows(
    types: set[int], points: int, points_only: bool, expected: str
) -> None:
    assert shapes.geometry_type(frozenset(types), points, points_only=points_only) == expected


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=20))
def test_only_places_on_earth_become_points(places: list[tuple[float, float]]) -> None:
    longitude, latitude = np.array(places, dtype=np.float64).T
    for point, (x, y) in zip(shapes.read_points(longitude, latitude), places, strict=True):
        if abs(x) <= 180 and abs(y) <= 90:
            assert (point.x, point.y) == (x, y)
        else:
            assert point is None


@given(st.binary(max_size=60))
def test_bytes_that_are_no_shape_are_passed_over(junk: bytes) -> None:
    shape = shapes.read_shapes([junk.hex(), *encoded(SQUARE), "\\N"])
    assert shape[0] is None or np.isfinite(shapely.get_coordinates(shape[0])).all()
    assert shape[1] == SQUARE
    assert shape[2] is None


def test_what_is_empty_or_infinite_is_no_shape_and_heights_are_dropped() -> None:
    infinite = shapely.Polygon([(0, 0), (1, 0), (1, math.inf), (0, 0)])
    shape = shapes.read_shapes(encoded(shapely.Polygon(), infinite, shapely.force_3d(SQUARE, 9.0)))
    assert shape[:2].tolist() == [None, None]
    assert not shape[2].has_z
    assert shape[2].equals(SQUARE)


def test_a_point_layer_takes_a_point_inside_a_shape_even_a_broken_one() -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    given_shapes = np.array([bow_tie, ring, SQUARE, None], dtype=object)
    given_points = np.array([None, None, shapely.Point(1, 2), None], dtype=object)
    placed = shapes.place(given_shapes, given_points, "Point", points_only=True)
    assert shapely.make_valid(bow_tie).covers(placed[0])
    assert ring.contains(placed[1])
    assert placed[2] == shapely.Point(1, 2)
    assert placed[3] is None
