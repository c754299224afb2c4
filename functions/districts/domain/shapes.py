"""Shapes of a load: read, made valid, and brought into one form."""

import binascii
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely

from functions.districts.domain.areas import areas_sqft
from functions.districts.domain.shape_types import Shape, Shapes
from functions.districts.schemas import GeometryType
from shared.geo.reference_systems import DEGREES, misplaced

_GEOMETRY_TYPE: dict[int, GeometryType] = {
    0: "point",
    4: "point",
    1: "line",
    2: "line",
    5: "line",
    3: "polygon",
    6: "polygon",
}
"""By shapely's number of a shape's type; others (collections) have none."""
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


class ShapeError(ValueError):
    """A shape that cannot be used; the message completes "the shape ..."."""


@dataclass(frozen=True)
class ValidShape:
    """A shape as it is stored. `repair` is the reason for which it was changed, with its areas before and after;
    `is_reversed` says that a ring of it ran the other way round.
    """

    shape: Shape
    geometry_type: GeometryType
    repair: str | None = None
    area_sqft_before: float = 0.0
    area_sqft_after: float = 0.0
    is_reversed: bool = False


def read_shape(value: bytes | str | None) -> Shape:
    """A shape from well-known binary, or from its hexadecimal or well-known text with or without a reference system
    before it (`SRID=2285;...`). Raises ShapeError.
    """
    if value is None or not value.strip():
        raise ShapeError("is missing")
    try:
        shape = shapely.from_wkb(value) if isinstance(value, bytes) else _read_text(value.strip())
    except (shapely.errors.GEOSException, binascii.Error, ValueError) as error:
        if isinstance(error, ShapeError):
            raise
        raise ShapeError(f"cannot be read: {error}") from None
    shape = shapely.force_2d(shape)
    if shape.is_empty:
        raise ShapeError("is empty")
    fault = misplaced(*shape.bounds)
    if fault is not None:
        raise ShapeError(fault)
    return shape


def make_valid(shape: Shape) -> ValidShape:
    """The shape with valid polygons, its rings in one order and direction. Raises ShapeError for one that has none.

    A polygon that crosses itself, or whose hole is not inside, is repaired by GEOS' structural method: outer rings are
    merged, holes taken away. What collapses to a line is dropped.
    """
    geometry_type = _GEOMETRY_TYPE.get(shapely.get_type_id(shape))
    if geometry_type is None:
        raise ShapeError(f"is a {shape.geom_type}, and a feature is of points, lines or polygons")
    if shapely.is_valid(shape):
        normal, is_reversed = _normal(shape)
        return ValidShape(normal, geometry_type, is_reversed=is_reversed)
    reason = shapely.is_valid_reason(shape)
    repaired = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    if repaired.is_empty or _GEOMETRY_TYPE.get(shapely.get_type_id(repaired)) != geometry_type:
        raise ShapeError(f"is not valid, and cannot be repaired: {reason}")
    before, after = areas_sqft(np.array([shape, repaired], dtype=object))
    return ValidShape(_normal(repaired)[0], geometry_type, reason, abs(float(before)), float(after))


def geometry_type_of(types: Sequence[GeometryType]) -> GeometryType:
    """The type of a layer whose features have these."""
    return types[0] if len(set(types)) == 1 else "mixed"


def _normal(shape: Shape) -> tuple[Shape, bool]:
    """The shape as it is written whichever vertex it was digitized from: counterclockwise outer rings (RFC 7946), and
    whether it had an outer ring in the other direction."""
    parts: Shapes = shapely.get_parts(shape)
    outer = shapely.get_exterior_ring(parts[shapely.get_type_id(parts) == 3])
    is_reversed = bool((~shapely.is_ccw(outer)).any()) if len(outer) else False
    return shapely.orient_polygons(shapely.normalize(shape)), is_reversed


def _read_text(text: str) -> Shape:
    system, _, body = text.rpartition(";")
    shape = shapely.from_wkb(body) if _HEXADECIMAL.issuperset(body) else shapely.from_wkt(body)
    srid = int(shapely.get_srid(shape))
    kind, _, name = system.partition("=")
    if kind.strip().upper() == "SRID" and name.strip().isdigit():
        srid = int(name)
    elif system:
        raise ShapeError(f"is in the reference system {name or system}, and has to be in degrees (WGS 84)")
    return shape if srid == 0 or srid in DEGREES else _in_degrees(shape, srid)


def _in_degrees(shape: Shape, srid: int) -> Shape:
    def place(coordinates: Any) -> Any:
        x, y = _transformer(srid).transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([x, y])

    placed = shapely.transform(shapely.force_2d(shape), place)
    if not all(map(math.isfinite, placed.bounds)):
        raise ShapeError(f"lies outside the area of its reference system (SRID {srid})")
    return placed


@cache
def _transformer(srid: int) -> Any:
    import pyproj  # 60 ms, for tables in another reference system only

    try:
        return pyproj.Transformer.from_crs(srid, 4326, always_xy=True)
    except pyproj.exceptions.CRSError:
        raise ShapeError(f"is in the reference system {srid} (SRID), which PROJ does not know") from None
