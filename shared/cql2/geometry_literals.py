"""Geometries of a filter: GeoJSON and bounding boxes read into the tree."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, get_args

from shared.cql2.errors import FilterError
from shared.cql2.numbers import finite_float
from shared.cql2.tree import GeometryLiteral, GeometryType, Position

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

_TYPES: tuple[GeometryType, ...] = get_args(GeometryType)
_MIN_RING = 4
_MEMBERS: dict[str, GeometryType] = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}


def read_geometry(node: dict[str, Any], pointer: str) -> GeometryLiteral:
    """A GeoJSON geometry (RFC 7946), or `{"bbox": [...]}`. A third coordinate is dropped. Raises FilterError."""
    if "bbox" in node:
        return box_literal([finite_float(side, f"{pointer}/bbox") for side in _list(node["bbox"], pointer)], pointer)
    geometry_type = node.get("type")
    if geometry_type not in _TYPES:
        raise FilterError(f"{geometry_type!r:.60} is no type of geometry; there are {', '.join(_TYPES)}.", pointer)
    if geometry_type == "GeometryCollection":
        members = _list(node.get("geometries"), f"{pointer}/geometries")
        parts = tuple(
            read_geometry(_object(part, at), at)
            for part, at in ((part, f"{pointer}/geometries/{number}") for number, part in enumerate(members))
        )
        if any(part.geometry_type == "GeometryCollection" for part in parts):
            raise FilterError("A GEOMETRYCOLLECTION holds no further collection.", pointer)
        return GeometryLiteral(geometry_type, parts, pointer=pointer)
    return _from_coordinates(geometry_type, node.get("coordinates"), f"{pointer}/coordinates", pointer)


def box_literal(sides: Sequence[float], pointer: str) -> GeometryLiteral:
    """The rectangle of `west, south, east, north`, of six numbers without the heights; west of 180 degrees and east of
    it where west is greater than east. Raises FilterError.
    """
    if len(sides) not in (4, 6):
        raise FilterError(f"A bounding box has 4 numbers, or 6 with heights; this has {len(sides)}.", pointer)
    (west, south), (east, north) = sides[:2], sides[len(sides) // 2 :][:2]
    if south > north:
        raise FilterError("The bounding box is upside down: its south must not exceed its north.", pointer)
    if west <= east:
        return _rectangle(west, south, east, north, pointer)
    if not (east >= -180 and west <= 180):
        raise FilterError("The bounding box's west exceeds its east, which only longitudes may do.", pointer)
    halves = (_rectangle(west, south, 180.0, north, pointer), _rectangle(-180.0, south, east, north, pointer))
    return GeometryLiteral("MultiPolygon", halves, pointer=pointer)


def _rectangle(west: float, south: float, east: float, north: float, pointer: str) -> GeometryLiteral:
    """A rectangle; one without width or height is a line or a point, which is what it covers."""
    corners: tuple[Position, ...] = ((west, south), (east, south), (east, north), (west, north), (west, south))
    if west == east and south == north:
        return GeometryLiteral("Point", (corners[:1],), pointer=pointer)
    if west == east or south == north:
        return GeometryLiteral("LineString", ((corners[0], corners[2]),), pointer=pointer)
    return GeometryLiteral("Polygon", (corners,), pointer=pointer)


def _from_coordinates(geometry_type: GeometryType, coordinates: Any, at: str, pointer: str) -> GeometryLiteral:
    member = _MEMBERS.get(geometry_type)
    if member is not None:
        members = [
            _from_coordinates(member, part, f"{at}/{number}", pointer)
            for number, part in enumerate(_list(coordinates, at))
        ]
        return GeometryLiteral(geometry_type, tuple(members), pointer=pointer)
    if geometry_type == "Point":
        return GeometryLiteral(geometry_type, ((_position(coordinates, at),),), pointer=pointer)
    if geometry_type == "LineString":
        return GeometryLiteral(geometry_type, (_line(coordinates, at, 2, "A LINESTRING"),), pointer=pointer)
    rings = tuple(_ring(part, f"{at}/{number}") for number, part in enumerate(_list(coordinates, at)))
    return GeometryLiteral(geometry_type, rings, pointer=pointer)


def _ring(coordinates: Any, at: str) -> tuple[Position, ...]:
    positions = _line(coordinates, at, _MIN_RING, "A ring of a POLYGON")
    if positions[0] != positions[-1]:
        raise FilterError("A ring of a POLYGON ends where it begins; this one is not closed.", at)
    return positions


def _line(coordinates: Any, at: str, minimum: int, name: str) -> tuple[Position, ...]:
    positions = tuple(_position(part, f"{at}/{number}") for number, part in enumerate(_list(coordinates, at)))
    if len(positions) < minimum:
        raise FilterError(f"{name} has at least {minimum} positions; this one has {len(positions)}.", at)
    return positions


def _position(coordinates: Any, at: str) -> Position:
    numbers = _list(coordinates, at)
    if len(numbers) not in (2, 3, 4):
        raise FilterError(f"A position has two coordinates; this one has {len(numbers)}.", at)
    return finite_float(numbers[0], at), finite_float(numbers[1], at)


def _list(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise FilterError("A list of coordinates is expected, which is not empty.", at)
    return value


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FilterError("A geometry is expected.", at)
    return value


def bounds_of(geometry: GeometryLiteral) -> Bounds:
    """The bounds of all positions."""
    positions = list(_positions(geometry))
    xs, ys = [position[0] for position in positions], [position[1] for position in positions]
    return min(xs), min(ys), max(xs), max(ys)


def with_positions(
    geometry: GeometryLiteral, convert: Callable[[Sequence[Position]], Sequence[Position]]
) -> GeometryLiteral:
    """The geometry with its positions converted."""
    parts = tuple(
        with_positions(part, convert) if isinstance(part, GeometryLiteral) else tuple(convert(part))
        for part in geometry.parts
    )
    return replace(geometry, parts=parts)


def _positions(geometry: GeometryLiteral) -> Iterator[Position]:
    for part in geometry.parts:
        if isinstance(part, GeometryLiteral):
            yield from _positions(part)
        else:
            yield from part
