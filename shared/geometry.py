"""Shapes as rows carry them: WKB as hexadecimal text, and a point that lies in the shape.

WKB: OGC 06-103r4, section 8. Only points and polygons, in two dimensions: what parcels are.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import orjson

Point = tuple[float, float]
Ring = Sequence[Point]
Polygon = Sequence[Ring]
"""The outer ring, and its holes; the first point of a ring is its last."""

WKB, LONGITUDE, LATITUDE = "SHAPE_WKB", "SHAPE_LONGITUDE", "SHAPE_LATITUDE"
"""The columns that a layer's rows have beside its attributes; longitude and latitude in degrees (WGS 84)."""

Shape = tuple[str | None, str | None, str | None]
"""The texts of the three columns."""

LARGEST_WKT = 16 << 20
"""Characters of a shape at most."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NO_NUMBER = re.compile(r"[\d.eE+-]{48}")
"""Longer than any number is written; without this, matching pairs of such would take time beyond bounds."""
_WKT = re.compile(r"\s*(?:SRID=\d+;)?\s*(POINT|POLYGON|MULTIPOLYGON)\s*(?:ZM?|M)?\s*(\(.*\))\s*$", re.I | re.S)
_PAIRS = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}")

_POINT, _POLYGON, _MULTIPOLYGON = 1, 3, 6


def point_shape(point: Point | None) -> Shape:
    """The columns of a point."""
    if point is None:
        return None, None, None
    return _point(point).hex(), repr(point[0]), repr(point[1])


def point_wkb(point: Point) -> bytes:
    """Well-known binary of a point."""
    return _point(point)


def is_wkb(text: str) -> bool:
    """Whether a text is the hexadecimal WKB of a point, a polygon or several, and nothing beyond."""
    try:
        content = bytes.fromhex(text)
        found, end = _read(content, 0)
    except (ValueError, struct.error, IndexError):
        return False
    return bool(found) and end == len(content)


def wkt_to_wkb(text: str) -> str | None:
    """Well-known text of a point, a polygon or several as the binary in hexadecimal; None for anything else, and for
    an empty shape. A third coordinate and a measure are dropped.
    """
    found = _WKT.match(text)
    if found is None or len(text) > LARGEST_WKT or _NO_NUMBER.search(text):
        return None
    kind, body = found.group(1).upper(), found.group(2)
    try:
        numbers = orjson.loads(
            _PAIRS.sub(lambda pair: f"[{float(pair[1])!r},{float(pair[2])!r}]", body)
            .replace("(", "[")
            .replace(")", "]")
        )
        match kind:
            case "POINT":
                return _point(tuple(numbers[0])).hex()
            case "POLYGON":
                return _polygon(_rings(numbers)).hex()
            case _:
                return polygons_wkb([_rings(rings) for rings in numbers]).hex()
    except (orjson.JSONDecodeError, TypeError, ValueError, struct.error):
        return None


def _rings(numbers: Any) -> Polygon:
    rings = [[(float(x), float(y)) for x, y in ring] for ring in numbers]
    if not rings or any(len(ring) < 4 or ring[0] != ring[-1] for ring in rings):
        raise ValueError("a ring of a polygon is not closed")
    return rings


def polygon_shape(rings: Iterable[Ring]) -> Shape:
    """The columns of a polygon or several, from rings in any order: clockwise ones are outer, as Esri writes them."""
    found = polygons(rings)
    if not found:
        return None, None, None
    inside = point_within(found)
    return polygons_wkb(found).hex(), repr(inside[0]), repr(inside[1])


def polygons(rings: Iterable[Ring]) -> list[Polygon]:
    """Rings sorted into polygons; a hole goes to the smallest outer ring around it."""
    closed = [_closed(ring) for ring in rings if len(ring) >= 3]
    areas = [_area(ring) for ring in closed]
    outer = [index for index, area in enumerate(areas) if area < 0 or len(closed) == 1]
    if not outer:  # a writer that turns them the other way
        outer = [index for index, area in enumerate(areas) if area > 0]
    made: dict[int, list[Ring]] = {index: [closed[index]] for index in outer}
    for index, ring in enumerate(closed):
        if index in made:
            continue
        around = [candidate for candidate in outer if _contains([closed[candidate]], ring[0])]
        if around:
            made[min(around, key=lambda candidate: abs(areas[candidate]))].append(ring)
        else:
            made[index] = [ring]
    return [*made.values()]


def polygons_wkb(found: Sequence[Polygon]) -> bytes:
    """Well-known binary, little-endian: a polygon, or a multipolygon where there are several."""
    if len(found) == 1:
        return _polygon(found[0])
    return struct.pack("<BII", 1, _MULTIPOLYGON, len(found)) + b"".join(map(_polygon, found))


def point_within(found: Sequence[Polygon]) -> Point:
    """A point in the largest polygon: its centroid, or else the middle of its widest stretch at half height."""
    largest = max(found, key=lambda polygon: abs(_area(polygon[0])))
    centroid = _centroid(largest[0])
    if centroid is not None and _contains(largest, centroid):
        return centroid
    return _middle_of_widest(largest) or largest[0][0]


def wkb_polygons(content: bytes) -> list[Polygon] | Point | None:
    """The polygons, or the point, that WKB describes in the plane; None for an empty shape.

    Raises ValueError for another kind of shape, and for what is no WKB.
    """
    try:
        shape, _ = _read(content, 0)
    except (struct.error, IndexError) as error:
        raise ValueError("the shape is no well-known binary") from error
    return shape or None


def _read(content: bytes, at: int) -> tuple[list[Polygon] | Point, int]:
    order = "<" if content[at] == 1 else ">"
    (code,) = struct.unpack_from(f"{order}I", content, at + 1)
    at += 5
    if code & 0x20000000:  # EWKB: the reference system follows
        at += 4
    kind = (code & 0x0FFFFFFF) % 1000
    wide = 2 + (code // 1000 % 10 in {1, 2}) + 2 * (code // 1000 % 10 == 3)
    wide += bool(code & 0x80000000) + bool(code & 0x40000000)
    if kind == _POINT:
        x, y = struct.unpack_from(f"{order}2d", content, at)
        return (x, y) if x == x else [], at + 8 * wide
    (count,) = struct.unpack_from(f"{order}I", content, at)
    at += 4
    if kind == _POLYGON:
        rings: list[Ring] = []
        for _ in range(count):
            (points,) = struct.unpack_from(f"{order}I", content, at)
            numbers = struct.unpack_from(f"{order}{points * wide}d", content, at + 4)
            rings.append(list(zip(numbers[::wide], numbers[1::wide], strict=True)))
            at += 4 + 8 * len(numbers)
        return [rings] if rings else [], at
    if kind == _MULTIPOLYGON:
        found: list[Polygon] = []
        for _ in range(count):
            part, at = _read(content, at)
            found += part if isinstance(part, list) else []
        return found, at
    raise ValueError(f"shapes of the kind {kind} (of WKB) are not read; parcels are points or polygons")


def _point(point: Point) -> bytes:
    return struct.pack("<BIdd", 1, _POINT, *point)


def _polygon(rings: Polygon) -> bytes:
    parts = [struct.pack("<BII", 1, _POLYGON, len(rings))]
    for ring in rings:
        numbers = [number for point in ring for number in point[:2]]
        parts.append(struct.pack(f"<I{len(numbers)}d", len(ring), *numbers))
    return b"".join(parts)


def _closed(ring: Ring) -> Ring:
    points = [(point[0], point[1]) for point in ring]
    return points if points[0] == points[-1] else [*points, points[0]]


def _area(ring: Ring) -> float:
    """Signed: negative where the ring goes round clockwise."""
    x0, y0 = ring[0]
    pairs = pairwise(ring)
    return sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in pairs) / 2


def _centroid(ring: Ring) -> Point | None:
    x0, y0 = ring[0]  # near the ring, where differences lose no digits
    total = x = y = 0.0
    for a, b in pairwise(ring):
        ax, ay, bx, by = a[0] - x0, a[1] - y0, b[0] - x0, b[1] - y0
        cross = ax * by - bx * ay
        total, x, y = total + cross, x + (ax + bx) * cross, y + (ay + by) * cross
    return (x0 + x / (3 * total), y0 + y / (3 * total)) if total else None


def _contains(rings: Polygon, point: Point) -> bool:
    """Even-odd over all rings."""
    return sum(x > point[0] for x in _crossings(rings, point[1])) % 2 == 1


def _crossings(rings: Polygon, y: float) -> list[float]:
    found = []
    for ring in rings:
        for a, b in pairwise(ring):
            if (a[1] > y) != (b[1] > y):
                found.append(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
    return sorted(found)


def _middle_of_widest(rings: Polygon) -> Point | None:
    heights = [point[1] for point in rings[0]]
    y = (min(heights) + max(heights)) / 2
    if y in heights:  # not through a corner
        above = [height for height in heights if height > y]
        y = (y + min(above)) / 2 if above else y
    found = _crossings(rings, y)
    stretches = list(zip(found[::2], found[1::2], strict=False))
    if not stretches:
        return None
    left, right = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    return (left + right) / 2, y
