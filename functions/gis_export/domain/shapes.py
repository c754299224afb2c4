"""Positions of a layer's rows: shapes from WKB, points from longitude and latitude."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from functions.gis_export.domain.copy_text import NULL

Shapes = NDArray[Any]
"""Of shapely's geometries; None where there is none."""
Degrees = NDArray[np.float64]
Box = tuple[float, float, float, float]

POLYGON, MULTIPOLYGON = 3, 6
"""WKB's numbers."""


def geometry_type(shape_types: frozenset[int], points: int, *, points_only: bool) -> str:
    """The narrowest type of layer that holds these: ArcGIS takes no layer of mixed types, QGIS shows it as several.

    `points` is how many rows have a point and no shape.
    """
    if points_only or not shape_types:
        return "Point"
    if points == 0 and shape_types <= {POLYGON, MULTIPOLYGON}:
        return "MultiPolygon"
    return "Unknown"


def read_shapes(hexadecimal: Sequence[str]) -> Shapes:
    """Shapes of COPY's hexadecimal WKB, in two dimensions; None for what is empty, unreadable or not finite."""
    encoded = np.array([None if field == NULL else field for field in hexadecimal], dtype=object)
    shapes = shapely.force_2d(shapely.from_wkb(encoded, on_invalid="ignore"))
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    usable[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return only(shapes, usable)


def read_points(longitude: Degrees, latitude: Degrees) -> Shapes:
    """Points; None where a coordinate is missing or no place on earth."""
    usable = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
    points = np.full(longitude.size, None, dtype=object)
    points[usable] = shapely.points(longitude[usable], latitude[usable])
    return points


def place(shapes: Shapes, points: Shapes, kind: str, *, points_only: bool) -> Shapes:
    """The geometry of each row in a layer of this geometry type; None for a row that has none there."""
    missing_point = shapely.is_missing(points)
    if points_only:
        return np.where(missing_point, _inner_points(shapes), points)
    if kind == "MultiPolygon":
        return shapes
    return np.where(shapely.is_missing(shapes), points, shapes)


def in_window(placed: Shapes, points: Shapes, box: Box | None) -> NDArray[np.bool_]:
    """Mask of the rows in the window: those with a point were chosen by it, the others by their shape's bounds."""
    if box is None:
        return np.ones(placed.size, dtype=np.bool_)
    west, south, east, north = shapely.bounds(placed).T
    touching = (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
    return np.asarray(~shapely.is_missing(points) | touching)


def only(shapes: Shapes, mask: NDArray[np.bool_]) -> Shapes:
    """The shapes that the mask selects in their places, None in the others."""
    chosen = np.full(shapes.size, None, dtype=object)
    chosen[mask] = shapes[mask]
    return chosen


def _inner_points(shapes: Shapes) -> Shapes:
    """A point inside each shape."""
    broken = ~(shapely.is_valid(shapes) | shapely.is_missing(shapes))
    whole = shapes.copy()
    whole[broken] = shapely.make_valid(shapes[broken])
    inner = shapely.point_on_surface(whole)
    return only(inner, ~shapely.is_empty(inner))
