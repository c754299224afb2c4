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

LARGEST_WKT = 16 << 20
"""Characters of a shape at most."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NO_NUMBER = re.compile(r"[\d.eE+-]{48}")
"""Longer than any number is written; without this, matching pairs of such would take time beyond bounds."""
_WKT = re.compile(r"\s*(?:SRID=(\d{1,9});)?\s*(POINT|POLYGON|MULTIPOLYGON)\s*(?:ZM?|M)?\s*(\(.*\))\s*$", re.I | re.S)
_PAIRS = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}")

_POINT, _POLYGON, _MULTIPOLYGON = 1, 3, 6
_HAS_SRID = 0x20000000
_UNSAID = 4326
"""What a shape without a reference system, or with the unknown one (0), is taken for."""


def point_shape(point: Point | None) -> Shape:
    """The columns of a point."""
    if point is None:
        return None, None, None
    return _point(point).hex(), repr(point[0]), repr(point[1])


def point_wkb(point: Point) -> bytes:
    """Well-known binary of a point."""
    return _point(point)


class ShapeError(ValueError):
    """A shape that a row cannot have; the message says why, and goes on after "the shape"."""


def read_shape(text: str) -> str | None:
    """The plain well-known binary in degrees, as hexadecimal, of a text that is WKB or EWKB of a point, a polygon or
    several; None for an empty shape. A third coordinate and a measure are dropped.

    A reference system in it is honoured, and one that stands before it as well (`SRID=2285;01...`, or
    `CRS=any name;01...` of a source that knows its system by name only). Raises ShapeError.
    """
    said, prefix, digits = text.rpartition(";")
    try:
        content = bytes.fromhex(digits)
        found = _Scan(content)
        end = found.read(0)
    except (ValueError, struct.error, IndexError) as error:
        raise ShapeError(f"is not the well-known binary (WKB) of a point or of polygons: {_why(error)}") from None
    if end != len(content):
        raise ShapeError(f"is not well-known binary (WKB): {len(content) - end} bytes follow its end")
    try:
        srid = _named_system(said) if prefix else found.srid
        require_known(srid)
    except UnknownSystemError as error:
        raise ShapeError(str(error)) from None
    if found.is_empty:
        return None
    if srid in WEB_MERCATOR:
        found.to_degrees(srid)
    fault = misplaced(*found.bounds())
    if fault is not None:
        raise ShapeError(fault)
    return digits if found.is_plain else found.written().hex()


def _why(error: Exception) -> str:
    said = str(error)
    if isinstance(error, (struct.error, IndexError)):
        return "it is cut off"
    return "it is not hexadecimal" if "fromhex" in said else said


def _named_system(said: str) -> int:
    kind, _, name = said.partition("=")
    if kind.strip().upper() == "SRID" and name.strip().isdigit():
        return int(name) or _UNSAID
    if kind.strip().upper() == "CRS":
        raise UnknownSystemError(name)
    raise UnknownSystemError(f"begins with {said[:40]!r}, which is no reference system")


@dataclass
class _Scan:
    """Well-known binary that is gone through once: its rings as the flat numbers that they are stored as."""

    content: bytes
    srid: int = 4326
    is_plain: bool = True
    """Whether it is WKB of two dimensions without a reference system: what is stored."""
    point: Point | None = None
    polygons: list[list[tuple[Sequence[float], Sequence[float]]]] = field(default_factory=list)
    """The rings of each polygon, as x and y."""
    is_multi: bool = False

    def read(self, at: int, within: int = 0) -> int:
        """Read the shape that begins here, and say where it ends. Raises struct.error, IndexError and ValueError."""
        if self.content[at] > 1:
            raise ValueError(f"its byte order is {self.content[at]}")
        order = "<" if self.content[at] == 1 else ">"
        (code,) = struct.unpack_from(f"{order}I", self.content, at + 1)
        at += 5
        if code & _HAS_SRID:
            (srid,) = struct.unpack_from(f"{order}I", self.content, at)
            self.srid = srid or _UNSAID
            at += 4
        kind, wide = _kind(code)
        self.is_plain = self.is_plain and code in (_POINT, _POLYGON, _MULTIPOLYGON)
        if kind == _POINT and not within:
            x, y = struct.unpack_from(f"{order}{wide}d", self.content, at)[:2]
            self.point = None if x != x and y != y else (x, y)
            return at + 8 * wide
        if kind not in (_POLYGON, _MULTIPOLYGON) or (within and kind != _POLYGON):
            raise ValueError(f"shapes of the kind {kind} are not read; parcels are points or polygons")
        (count,) = struct.unpack_from(f"{order}I", self.content, at)
        at += 4
        if kind == _MULTIPOLYGON:
            self.is_multi = True
            for _ in range(count):
                at = self.read(at, within=1)
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
        """Bring it to degrees from another system."""
        self.is_plain = False
        if self.point is not None:
            self.point = to_degrees(srid, *self.point)
        for rings in self.polygons:
            for place, (xs, ys) in enumerate(rings):
                rings[place] = _transposed(to_degrees(srid, x, y) for x, y in zip(xs, ys, strict=True))

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north; what is no number is among them."""
        if self.point is not None:
            return (*self.point, *self.point)
        rings = [*chain.from_iterable(self.polygons)]
        sides = []
        for axis in (0, 1):
            # NaN is neither the least nor the most, and makes every sum NaN
            total = sum(map(sum, (ring[axis] for ring in rings)))
            sides.append((total, total) if total != total else
                         (min(min(ring[axis]) for ring in rings), max(max(ring[axis]) for ring in rings)))  # fmt: skip
        (west, east), (south, north) = sides
        return west, south, east, north

    def written(self) -> bytes:
        """Plain well-known binary."""
        if self.point is not None:
            return _point(self.point)
        found = [[[*zip(xs, ys, strict=True)] for xs, ys in rings] for rings in self.polygons]
        return polygons_wkb(found)


def _transposed(points: Iterable[Point]) -> tuple[Sequence[float], Sequence[float]]:
    xs, ys = zip(*points, strict=True)
    return xs, ys


def _kind(code: int) -> tuple[int, int]:
    """The kind of shape, and how many numbers a vertex has: two, and a third coordinate and a measure, as ISO or as
    PostGIS writes them.
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
    found = _WKT.match(text)
    if found is None or len(text) > LARGEST_WKT or _NO_NUMBER.search(text):
        return None
    srid, kind, body = found.group(1), found.group(2).upper(), found.group(3)
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
