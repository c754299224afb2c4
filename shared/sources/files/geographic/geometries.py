"""Geometries of a batch converted to degrees, each with an interior point; one that cannot be is a fault of its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from shared.geo.reference_systems import misplaced

Shapes = NDArray[np.object_]

_CURVED = frozenset(range(8, 15))
"""Types of well-known binary with arcs (ISO 19125-2 and SQL/MM), and their abstract parents."""
_SURFACES = frozenset({15, 16, 17})
MAX_DEGREES_OUTSIDE = 20.0
"""Degrees by which a vertex may lie outside the area of use of its reference system, whose formulas diverge farther
away. A choice: a county at the edge of a zone stays inside."""


@dataclass(frozen=True)
class PlacedShapes:
    """The three geometry columns of a batch, and the fault of each row's geometry."""

    wkb: list[bytes | None]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    faults: list[str | None]


def place_geometries(
    binaries: Sequence[bytes | None],
    transformer: pyproj.Transformer,
    system: pyproj.CRS,
    linear: Callable[[list[int]], dict[int, bytes]],
    *,
    any_geometry: bool = False,
) -> PlacedShapes:
    """Convert geometries to degrees. `linear` returns the WKB of rows with their arcs approximated; with
    `any_geometry` lines and collections of points are kept, which are faults of a parcel.
    """
    faults: list[str | None] = [None] * len(binaries)
    shapes = _read(_without_arcs(binaries, linear), faults)
    if not any_geometry:
        shapes = _points_and_polygons(shapes, faults)
    shapes = _in_degrees(shapes, faults, transformer, system)
    points = _points_within(shapes)
    written = shapely.to_wkb(shapes, output_dimension=2, byte_order=1)
    return PlacedShapes(written.tolist(), shapely.get_x(points), shapely.get_y(points), faults)


def _kind(binary: bytes | None) -> int:
    if binary is None or len(binary) < 5:
        return 0
    code = int.from_bytes(binary[1:5], "little" if binary[0] == 1 else "big")
    return (code & 0x0FFFFFFF) % 1000


def _without_arcs(
    binaries: Sequence[bytes | None], linear: Callable[[list[int]], dict[int, bytes]]
) -> list[bytes | None]:
    kinds = [_kind(binary) for binary in binaries]
    curved = [row for row, kind in enumerate(kinds) if kind in _CURVED]
    approximated = linear(curved) if curved else {}
    return [approximated.get(row, binary) for row, binary in enumerate(binaries)]


def _read(binaries: Sequence[bytes | None], faults: list[str | None]) -> Shapes:
    """Parse WKB; open rings are closed, as everywhere here."""
    for row, binary in enumerate(binaries):
        if _kind(binary) in _CURVED | _SURFACES:
            faults[row] = "the shape is a curve or a surface in space; parcels are points or polygons"
    usable = [None if faults[row] else binary for row, binary in enumerate(binaries)]
    with np.errstate(invalid="ignore"):
        shapes: Shapes = shapely.from_wkb(np.array(usable, dtype=object), on_invalid="fix")
    for absent in np.flatnonzero(shapely.is_missing(shapes)):
        if usable[absent] is not None:
            faults[absent] = "the shape cannot be read: it has no points, or is damaged"
    shapes = shapely.force_2d(shapes)
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _points_and_polygons(shapes: Shapes, faults: list[str | None]) -> Shapes:
    """Points and polygons; collections are reduced to their one geometry, or their polygons."""
    kinds = shapely.get_type_id(shapes)
    for row in np.flatnonzero(~np.isin(kinds, (-1, 0, 3, 6))):
        shape = _single_geometry(shapes[row])
        if shape is None:
            faults[row] = f"the shape is a {shapes[row].geom_type}; parcels are points or polygons"
        shapes[row] = shape
    return shapes


def _single_geometry(shape: Any) -> Any:
    parts = [part for part in _flatten(shape) if not part.is_empty]
    if parts and all(part.geom_type == "Polygon" for part in parts):
        return shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0]
    return parts[0] if len(parts) == 1 and parts[0].geom_type == "Point" else None


def _flatten(shape: Any) -> list[Any]:
    inner = getattr(shape, "geoms", None)
    return [shape] if inner is None else [part for geometry in inner for part in _flatten(geometry)]


def _in_degrees(
    shapes: Shapes, faults: list[str | None], transformer: pyproj.Transformer, system: pyproj.CRS
) -> Shapes:
    coordinates, rows = shapely.get_coordinates(shapes, return_index=True)
    finite = np.isfinite(coordinates).all(axis=1)
    x, y = transformer.transform(coordinates[:, 0], coordinates[:, 1])
    placed = np.column_stack([x, y])
    astray = _outside_area(placed, system) & finite
    if not finite.all() or astray.any():
        for row in np.unique(rows[~finite]):
            faults[row] = "the shape has a vertex whose coordinates are no numbers (NaN or infinite)"
        for row in np.unique(rows[astray]):
            faults[row] = faults[row] or _outside_area_message(coordinates[rows == row][astray[rows == row]][0], system)
        placed = np.where((finite & ~astray)[:, None], placed, 0.0)
    shapes = shapely.set_coordinates(shapes, placed)
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        wide = (bounds[:, 2] - bounds[:, 0] > 1) | (bounds[:, 3] - bounds[:, 1] > 1)
    for row in np.flatnonzero(wide):
        fault = misplaced(*bounds[row].tolist())
        if fault is not None and faults[row] is None:
            faults[row] = f"the shape {fault}"
    shapes[[fault is not None for fault in faults]] = None
    return shapes


def _outside_area(placed: NDArray[np.float64], system: pyproj.CRS) -> NDArray[np.bool_]:
    """Mask of vertices that are not on the earth, or too far outside the area of use of the reference system."""
    west, south, east, north = -180.0, -90.0, 180.0, 90.0
    area = system.area_of_use
    if area is not None and system.is_projected:
        south, north = max(-90.0, area.south - MAX_DEGREES_OUTSIDE), min(90.0, area.north + MAX_DEGREES_OUTSIDE)
        if area.west <= area.east:
            west, east = max(-180.0, area.west - MAX_DEGREES_OUTSIDE), min(180.0, area.east + MAX_DEGREES_OUTSIDE)
    longitude, latitude = placed[:, 0], placed[:, 1]
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    return ~inside


def _outside_area_message(vertex: NDArray[np.float64], system: pyproj.CRS) -> str:
    x, y = vertex.tolist()
    return (
        f"the shape has a vertex at {x:.15g}, {y:.15g}, which is nowhere that {system.name} is meant for; are its"
        " coordinates in this reference system?"
    )


def _points_within(shapes: Shapes) -> Shapes:
    """An interior point of each geometry: the centroid of its largest polygon, or else one that GEOS finds inside."""
    largest = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(shapes) == 6):
        largest[row] = max(shapes[row].geoms, key=lambda part: part.area)
    with np.errstate(invalid="ignore"):
        points: Shapes = shapely.centroid(largest)
        inside = shapely.intersects(largest, points) | shapely.is_missing(largest)
    for row in np.flatnonzero(~inside):
        points[row] = _inside(largest[row])
    return points


def _inside(shape: Any) -> Any:
    try:
        point = shapely.point_on_surface(shape)
    except shapely.errors.GEOSException:  # self-intersecting rings
        point = None
    return point if point is not None and not point.is_empty else shapely.Point(shapely.get_coordinates(shape)[0])
