"""Shapes as rows carry them: WKB as hexadecimal text, and a point that lies in the shape.

WKB: OGC 06-103r4, section 8; EWKB, with the reference system in it: PostGIS' manual, section 4.1.2. Only points and
polygons, in two dimensions: what parcels are.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import orjson

from shared.geo.reference_systems import WEB_MERCATOR, Point, UnknownSystemError, misplaced, require_known, to_degrees

Ring = Sequence[Point]
Polygon = Sequence[Ring]
"""The outer ring, and its holes; the first point of a ring is its last."""

WKB, LONGITUDE, LATITUDE = "SHAPE_WKB", "SHAPE_LONGITUDE", "SHAPE_LATITUDE"
"""The columns that a layer's rows have beside its attributes; longitude and latitude in degrees (WGS 84)."""

Shape = tuple[str | None, str | None, str | None]
"""The texts of the three columns."""

MAX_WKT_CHARACTERS = 16 << 20
"""A choice: it bounds the memory of one row, at some 800,000 vertices, which no parcel has."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NO_NUMBER = re.compile(r"[\d.eE+-]{48}")
"""A run of digits longer than any number: matching pairs of such would take time beyond bounds."""
_WKT = re.compile(r"\s*(?:SRID=(\d{1,9});)?\s*(POINT|POLYGON|MULTIPOLYGON)\s*(?:ZM?|M)?\s*(\(.*\))\s*$", re.I | re.S)
_PAIRS = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}")

_POINT, _POLYGON, _MULTIPOLYGON = 1, 3, 6
_HAS_SRID = 0x20000000
_DEFAULT_SRID = 4326
"""The reference system of a shape that names none, or the unknown one (0)."""


def point_shape(point: Point | None) -> Shape:
    """The columns of a point."""
    if point is None:
        return None, None, None
    return _point(point).hex(), repr(point[0]), repr(point[1])


def point_wkb(point: Point) -> bytes:
    """Well-known binary of a point."""
    return _point(point)


class ShapeError(ValueError):
    """A shape that a row cannot have; the message is the predicate of "the shape ..."."""


def read_shape(text: str) -> str | None:
    """The plain well-known binary in degrees, as hexadecimal, of a text that is WKB or EWKB of a point, a polygon or
    several; None for an empty shape. A third coordinate and a measure are dropped.

    A reference system in it is honoured, and one that stands before it as well (`SRID=2285;01...`, or
    `CRS=any name;01...` of a source that knows its system by name only). Raises ShapeError.
    """
    system, prefix, digits = text.rpartition(";")
    try:
        content = bytes.fromhex(digits)
        scan = _Scan(content)
        end = scan.read(0)
    except (ValueError, struct.error, IndexError) as error:
        raise ShapeError(f"is not the well-known binary (WKB) of a point or of polygons: {_why(error)}") from None
    if end != len(content):
        raise ShapeError(f"is not well-known binary (WKB): {len(content) - end} bytes follow its end")
    try:
        srid = _named_system(system) if prefix else scan.srid
        require_known(srid)
    except UnknownSystemError as error:
        raise ShapeError(str(error)) from None
    if scan.is_empty:
        return None
    if srid in WEB_MERCATOR:
        scan.to_degrees(srid)
    fault = misplaced(*scan.bounds())
    if fault is not None:
        raise ShapeError(fault)
    return digits if scan.is_plain else scan.to_wkb().hex()


def polygons_of(content: bytes) -> list[Polygon]:
    """The polygons of well-known binary as it is stored, each its outer ring and holes; none of a point."""
    scan = _Scan(content)
    scan.read(0)
    return [[list(zip(x, y, strict=True)) for x, y in rings] for rings in scan.polygons]


def _why(error: Exception) -> str:
    message = str(error)
    if isinstance(error, (struct.error, IndexError)):
        return "it is cut off"
    return "it is not hexadecimal" if "fromhex" in message else message


def _named_system(prefix: str) -> int:
    kind, _, name = prefix.partition("=")
    if kind.strip().upper() == "SRID" and name.strip().isdigit():
        return int(name) or _DEFAULT_SRID
    if kind.strip().upper() == "CRS":
        raise UnknownSystemError(name)
    raise UnknownSystemError(f"begins with {prefix[:40]!r}, which is no reference system")


@dataclass
class _Scan:
    """A single pass over well-known binary: its rings as the flat sequences of numbers in which they are stored."""

    content: bytes
    srid: int = 4326
    is_plain: bool = True
    """True for two-dimensional WKB without a reference system, as it is stored."""
    point: Point | None = None
    polygons: list[list[tuple[Sequence[float], Sequence[float]]]] = field(default_factory=list)
    """The rings of each polygon, as x and y."""
    is_multi: bool = False

    def read(self, at: int, depth: int = 0) -> int:
        """Read the shape at a position; returns where it ends. Raises struct.error, IndexError and ValueError."""
        if self.content[at] > 1:
            raise ValueError(f"its byte order is {self.content[at]}")
        order = "<" if self.content[at] == 1 else ">"
        (code,) = struct.unpack_from(f"{order}I", self.content, at + 1)
        at += 5
        if code & _HAS_SRID:
            (srid,) = struct.unpack_from(f"{order}I", self.content, at)
            self.srid = srid or _DEFAULT_SRID
            at += 4
        kind, wide = _kind(code)
        self.is_plain = self.is_plain and code in (_POINT, _POLYGON, _MULTIPOLYGON)
        if kind == _POINT and not depth:
            x, y = struct.unpack_from(f"{order}{wide}d", self.content, at)[:2]
            self.point = None if x != x and y != y else (x, y)
            return at + 8 * wide
        if kind not in (_POLYGON, _MULTIPOLYGON) or (depth and kind != _POLYGON):
            raise ValueError(f"shapes of the kind {kind} are not read; parcels are points or polygons")
        (count,) = struct.unpack_from(f"{order}I", self.content, at)
        at += 4
        if kind == _MULTIPOLYGON:
            self.is_multi = True
            for _ in range(count):
                at = self.read(at, depth=1)
            return at
        return self._polygon(at, count, order, wide)

    def _polygon(self, at: int, count: int, order: str, wide: int) -> int:
        rings: list[tuple[Sequence[float], Sequence[float]]] = []
        for _ in range(count):
            (points,) = struct.unpack_from(f"{order}I", self.content, at)
            numbers = struct.unpack_from(f"{order}{points * wide}d", self.content, at + 4)
            at += 4 + 8 * len(numbers)
            if numbers:
                rings.append((numbers[::wide], numbers[1::wide]))
        if rings:
            self.polygons.append(rings)
        return at

    @property
    def is_empty(self) -> bool:
        return self.point is None and not self.polygons

    def to_degrees(self, srid: int) -> None:
        """Convert it to degrees from another reference system."""
        self.is_plain = False
        if self.point is not None:
            self.point = to_degrees(srid, *self.point)
        for rings in self.polygons:
            for number, (xs, ys) in enumerate(rings):
                rings[number] = _transposed(to_degrees(srid, x, y) for x, y in zip(xs, ys, strict=True))

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north; NaN where a coordinate is NaN."""
        if self.point is not None:
            return (*self.point, *self.point)
        rings = [*chain.from_iterable(self.polygons)]
        sides = []
        for dimension in (0, 1):
            # NaN is neither the least nor the most, and makes every sum NaN
            total = sum(map(sum, (ring[dimension] for ring in rings)))
            if total != total:
                sides.append((total, total))
            else:
                least, most = min(min(ring[dimension]) for ring in rings), max(max(ring[dimension]) for ring in rings)
                sides.append((least, most))
        (west, east), (south, north) = sides
        return west, south, east, north

    def to_wkb(self) -> bytes:
        """Plain well-known binary."""
        if self.point is not None:
            return _point(self.point)
        shapes = [[[*zip(xs, ys, strict=True)] for xs, ys in rings] for rings in self.polygons]
        return polygons_wkb(shapes)


def _transposed(points: Iterable[Point]) -> tuple[Sequence[float], Sequence[float]]:
    xs, ys = zip(*points, strict=True)
    return xs, ys


def _kind(code: int) -> tuple[int, int]:
    """The kind of shape, and the number of values of a vertex: two, and a third coordinate and a measure, by ISO's or
    PostGIS' codes.
    """
    flagged = bool(code & 0x80000000) + bool(code & 0x40000000)
    code &= 0x0FFFFFFF
    iso = code // 1000
    if iso > 3 or (iso and flagged):
        raise ValueError(f"shapes of the kind {code} are not read; parcels are points or polygons")
    return code % 1000, 2 + flagged + (0, 1, 1, 2)[iso]


def wkt_to_wkb(text: str) -> str | None:
    """Well-known text of a point, a polygon or several as the binary in hexadecimal; None for anything else, and for
    an empty shape. A third coordinate and a measure are dropped; a reference system (`SRID=2285;`) is kept before it.
    """
    match = _WKT.match(text)
    if match is None or len(text) > MAX_WKT_CHARACTERS or _NO_NUMBER.search(text):
        return None
    srid, kind, body = match.group(1), match.group(2).upper(), match.group(3)
    try:
        content = _wkb_of(kind, body)
    except (orjson.JSONDecodeError, TypeError, ValueError, struct.error, IndexError):
        return None
    return content.hex() if srid is None else f"SRID={srid};{content.hex()}"


def _wkb_of(kind: str, body: str) -> bytes:
    numbers = orjson.loads(
        _PAIRS.sub(lambda pair: f"[{float(pair[1])!r},{float(pair[2])!r}]", body).replace("(", "[").replace(")", "]")
    )
    if kind == "POINT":
        return _point(tuple(numbers[0]))
    if kind == "POLYGON":
        return _polygon(_rings(numbers))
    return polygons_wkb([_rings(rings) for rings in numbers])


def _rings(numbers: Any) -> Polygon:
    rings = [[(float(x), float(y)) for x, y in ring] for ring in numbers]
    if not rings or any(len(ring) < 4 or ring[0] != ring[-1] for ring in rings):
        raise ValueError("a ring of a polygon is not closed")
    return rings


def polygon_shape(rings: Iterable[Ring]) -> Shape:
    """The columns of a polygon or several, from rings in any order: clockwise ones are outer, as Esri writes them."""
    shapes = polygons(rings)
    if not shapes:
        return None, None, None
    inside = point_within(shapes)
    return polygons_wkb(shapes).hex(), repr(inside[0]), repr(inside[1])


def polygons(rings: Iterable[Ring]) -> list[Polygon]:
    """Rings grouped into polygons; a hole belongs to the smallest outer ring around it."""
    closed = [_closed(ring) for ring in rings if len(ring) >= 3]
    areas = [_area(ring) for ring in closed]
    outer = [index for index, area in enumerate(areas) if area < 0 or len(closed) == 1]
    if not outer:  # a writer that turns them the other way
        outer = [index for index, area in enumerate(areas) if area > 0]
    grouped: dict[int, list[Ring]] = {index: [closed[index]] for index in outer}
    for index, ring in enumerate(closed):
        if index in grouped:
            continue
        around = [candidate for candidate in outer if _contains([closed[candidate]], ring[0])]
        if around:
            grouped[min(around, key=lambda candidate: abs(areas[candidate]))].append(ring)
        else:
            grouped[index] = [ring]
    return [*grouped.values()]


def polygons_wkb(shapes: Sequence[Polygon]) -> bytes:
    """Well-known binary, little-endian: a polygon, or a multipolygon where there are several."""
    if len(shapes) == 1:
        return _polygon(shapes[0])
    return struct.pack("<BII", 1, _MULTIPOLYGON, len(shapes)) + b"".join(map(_polygon, shapes))


def point_within(shapes: Sequence[Polygon]) -> Point:
    """A point in the largest polygon: its centroid, or else the middle of its widest interval at half height."""
    largest = max(shapes, key=lambda polygon: abs(_area(polygon[0])))
    centroid = _centroid(largest[0])
    if centroid is not None and _contains(largest, centroid):
        return centroid
    return _middle_of_widest(largest) or largest[0][0]


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
    """The signed area (shoelace formula): negative for a clockwise ring."""
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
    """True for a point inside, by the even-odd rule over all rings."""
    return sum(x > point[0] for x in _crossings(rings, point[1])) % 2 == 1


def _crossings(rings: Polygon, y: float) -> list[float]:
    crossings = []
    for ring in rings:
        for a, b in pairwise(ring):
            if (a[1] > y) != (b[1] > y):
                crossings.append(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
    return sorted(crossings)


def _middle_of_widest(rings: Polygon) -> Point | None:
    heights = [point[1] for point in rings[0]]
    y = (min(heights) + max(heights)) / 2
    if y in heights:  # not through a corner
        above = [height for height in heights if height > y]
        y = (y + min(above)) / 2 if above else y
    crossings = _crossings(rings, y)
    intervals = list(zip(crossings[::2], crossings[1::2], strict=False))
    if not intervals:
        return None
    left, right = max(intervals, key=lambda interval: interval[1] - interval[0])
    return (left + right) / 2, y
