"""The shapes of a layer's rows: from well-known binary where there is one, else the point."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from functions.features.domain.reference_systems import ReferenceSystem

Shapes = NDArray[Any]
"""Of shapely's geometries; None for a feature without one."""

_POINTS = (0, 4)
"""Shapely's types of points and of several points."""


def shapes_of(
    encoded: Sequence[bytes | None],
    longitudes: Sequence[float | None],
    latitudes: Sequence[float | None],
    *,
    points_only: bool,
) -> Shapes:
    """Shapes of rows; in a layer of points each is the row's point, or one inside the shape of a row without."""
    shapes: Shapes = shapely.from_wkb(np.array(encoded, dtype=object), on_invalid="ignore")
    placed = np.array([longitude is not None for longitude in longitudes], dtype=np.bool_)
    if points_only:
        areas = ~placed & ~shapely.is_missing(shapes) & ~np.isin(shapely.get_type_id(shapes), _POINTS)
        shapes[areas] = shapely.point_on_surface(shapes[areas])
    wanting = placed if points_only else placed & shapely.is_missing(shapes)
    if wanting.any():
        positions = np.array([longitudes, latitudes], dtype=np.float64).T[wanting]
        shapes[wanting] = shapely.points(positions)
    return shapes


def overlapping(shapes: Shapes, window: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """True for each shape whose bounds overlap the window (west, south, east, north); False for none."""
    west, south, east, north = window
    bounds = shapely.bounds(shapes)
    return np.asarray(
        (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    )


def to_geojson(shapes: Shapes, system: ReferenceSystem) -> list[str]:
    """GeoJSON of each shape in a reference system, `null` where there is none or it lies beyond the system."""

    def converted(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(system.from_degrees(coordinates), system.decimals)

    texts = shapely.to_geojson(shapely.transform(shapes, converted))
    return [_NULL if text is None or "Infinity" in text or "nan" in text else text for text in texts]


_NULL = "null"
