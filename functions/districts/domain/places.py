"""Which districts a place, or a parcel's area, lies in."""

from collections.abc import Sequence

import numpy as np
import shapely

from functions.districts.domain.areas import in_feet
from functions.districts.domain.shape_types import Shape, Shapes

MIN_SHARE = 0.005
"""Least share of a parcel's area that counts as its lying in a district: less is a sliver, where the lines of two maps
run beside each other. A choice: half a foot along one side of a lot of a hundred feet."""


def holding(longitude: float, latitude: float, shapes: Sequence[bytes]) -> list[tuple[int, bool]]:
    """The places, in their list, of the polygons (WKB) that hold a point, and whether it lies on their boundary.

    Polygons around the point go before those that it is on the boundary of, and of these the first has it alone: a
    point between districts is in one of them, always the same.
    """
    geometries = _read(shapes)
    point = shapely.Point(longitude, latitude)
    polygons = shapely.get_dimensions(geometries) == 2
    touching = polygons & shapely.intersects(geometries, point)
    inside = polygons & shapely.contains(geometries, point)
    if inside.any():
        return [(int(place), False) for place in np.flatnonzero(inside)]
    return [(int(place), True) for place in np.flatnonzero(touching)[:1]]


def shares(parcel: Shape, shapes: Sequence[bytes]) -> tuple[list[float], float]:
    """The share of a parcel's area in each of the polygons (WKB), and the share that is in none of them.

    Where polygons overlap, what they share counts for each of them in proportion, so that all sum to 1.
    """
    geometries = shapely.make_valid(_read(shapes))
    geometries[shapely.get_dimensions(geometries) < 2] = None
    pieces = shapely.intersection(geometries, parcel)
    total = parcel.area
    areas = np.nan_to_num(shapely.area(pieces)) / total
    covered = min(1.0, shapely.area(shapely.union_all(pieces)) / total)
    if areas.sum() > 0:
        areas = areas * (covered / areas.sum())
    return areas.tolist(), max(0.0, 1.0 - covered)


def without_slivers(areas: Sequence[float], outside: float) -> tuple[list[float], float, float]:
    """Shares below `MIN_SHARE` set to zero and spread over the others in proportion; the shares, the share outside, and
    what was dropped. Where every share is so small, the largest stays.
    """
    kept = [share if share >= MIN_SHARE else 0.0 for share in (*areas, outside)]
    if not any(kept):
        return [*areas], outside, 0.0
    dropped = sum(areas) + outside - sum(kept)
    scale = 1 / sum(kept)
    return [share * scale for share in kept[:-1]], kept[-1] * scale, dropped


def parcel_polygon(geometry: bytes | None) -> Shape | None:
    """A parcel's polygon, made valid; None where it has none."""
    (shape,) = shapely.make_valid(_read([geometry]), method="structure", keep_collapsed=False)
    return shape if shapely.get_dimensions(shape) == 2 and shape.area > 0 else None


def area_sqft(shape: Shape) -> float:
    """A shape's area in square feet."""
    return float(shapely.area(in_feet(np.array([shape], dtype=object)))[0])


class DistrictPolygon:
    """A district's polygon, prepared for many points."""

    def __init__(self, shape: Shape) -> None:
        shapely.prepare(shape)
        self._shape = shape
        west, south, east, north = shape.bounds
        self.bounds: tuple[float, float, float, float] = (west, south, east, north)

    def holds(self, points: Sequence[tuple[float, float]]) -> list[bool]:
        """For each point (longitude, latitude), whether it lies in the polygon or on its boundary."""
        if not points:
            return []
        coordinates = np.array(points)
        inside: list[bool] = shapely.intersects_xy(self._shape, coordinates[:, 0], coordinates[:, 1]).tolist()
        return inside


def polygon_of(geometry: bytes) -> DistrictPolygon | None:
    """The polygon of a feature (WKB); None for one of points or lines."""
    (shape,) = _read([geometry])
    return DistrictPolygon(shape) if shapely.get_dimensions(shape) == 2 else None


def _read(shapes: Sequence[bytes | None]) -> Shapes:
    """Shapes of WKB; None for what is none, which a table can hold and nothing here trips over."""
    read: Shapes = shapely.from_wkb(np.array(shapes, dtype=object), on_invalid="ignore")
    return read
