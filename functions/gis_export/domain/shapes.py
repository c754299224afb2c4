"""Geometries of a layer's rows: shapes from WKB, points from longitude and latitude, and how faulty ones end."""

from __future__ import annotations

from binascii import unhexlify
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from functions.gis_export.domain.copy_text import NULL

Shapes = NDArray[Any]
"""Of shapely's geometries; None where there is none."""
Degrees = NDArray[np.float64]
Mask = NDArray[np.bool_]

GeometryGroup = Literal["point", "line", "polygon", "mixed"]

_GROUPS: dict[int, GeometryGroup] = {1: "point", 2: "line", 3: "polygon", 4: "point", 5: "line", 6: "polygon"}
"""By WKB's number of the type."""
_SINGLE_GROUPS: tuple[GeometryGroup, ...] = ("polygon", "line", "point")
_MULTIPOINT = 4
_GROUP_OF_TYPE_ID = np.array(["point", "line", "line", "polygon", "point", "line", "polygon", "mixed", ""])
"""By shapely's number of the type; the last one is that of a missing geometry (-1)."""


@dataclass
class ShapeOutcomes:
    """Counts of the rows of a layer by what became of their shape.

    `unreadable` and `empty` shapes are passed over for the row's point; a row with neither is `without_location`. A
    shape that crosses itself is `repaired`, one whose rings run the wrong way is `reversed`, and what the reference
    system cannot express is `outside_crs`.
    """

    counts: Counter[str] = field(default_factory=Counter)
    _block: list[tuple[str, Mask]] = field(default_factory=list)

    NAMES = ("without_location", "unreadable", "empty", "repaired", "reversed", "outside_crs")

    def add(self, name: str, mask: Mask) -> None:
        """Mark rows of a block."""
        self._block.append((name, mask))

    def count(self, selected: Mask) -> None:
        """Count what is marked of those rows of the block that are selected, and begin the next one."""
        for name, mask in self._block:
            self.counts[name] += int(np.count_nonzero(mask & selected))
        self._block.clear()


@dataclass(frozen=True)
class LayerPart:
    """A layer of a file: all of a layer's rows, or those of one group of geometry types.

    `suffix` is appended to the layer's name; `geometry_type` is the type that the file declares.
    """

    group: GeometryGroup
    geometry_type: str
    suffix: str = ""


def layer_parts(wkb_types: Collection[int], points: int, *, points_only: bool, one_type: bool) -> list[LayerPart]:
    """The layers of a file for rows with shapes of these types (WKB's numbers) and this many points without a shape.

    Of one group a layer has the multiple type, which holds single ones; of several it is of no type, or with `one_type`
    each group is a layer. ArcGIS takes no layer of mixed types, and QGIS shows it as several.
    """
    several_points = _MULTIPOINT in wkb_types and not points_only
    groups: list[GeometryGroup] = sorted({_GROUPS.get(number, "mixed") for number in wkb_types} | _points(points))
    types = {
        "point": "MultiPoint" if several_points else "Point",
        "line": "MultiLineString",
        "polygon": "MultiPolygon",
        "mixed": "Unknown",
    }
    if points_only or not groups:
        return [LayerPart("point", types["point"])]
    if len(groups) == 1 and groups != ["mixed"]:
        return [LayerPart(groups[0], types[groups[0]])]
    if not one_type:
        return [LayerPart("mixed", "Unknown")]
    single: list[GeometryGroup] = [group for group in _SINGLE_GROUPS if group in groups or "mixed" in groups]
    return [LayerPart(g, types[g], "" if number == 0 else f"_{g}s") for number, g in enumerate(single)]


def _points(number: int) -> set[GeometryGroup]:
    return {"point"} if number else set()


def read_shapes(hexadecimal: Sequence[bytes], outcomes: ShapeOutcomes) -> Shapes:
    """Valid shapes of COPY's hexadecimal WKB, in two dimensions; None for what is empty, unreadable or not finite."""
    encoded = np.array([None if cell == NULL else unhexlify(cell) for cell in hexadecimal], dtype=object)
    given = encoded != None  # noqa: E711 - of each element
    if not given.any():
        return np.full(len(encoded), None, dtype=object)
    shapes = shapely.force_2d(shapely.from_wkb(encoded, on_invalid="ignore"))
    read = ~shapely.is_missing(shapes)
    empty = shapely.is_empty(shapes)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    infinite = np.zeros(shapes.size, dtype=np.bool_)
    infinite[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    outcomes.add("unreadable", (given & ~read) | infinite)
    shapes = only(shapes, read & ~empty & ~infinite)
    shapes, emptied = _repaired(shapes, outcomes)
    outcomes.add("empty", empty | emptied)
    oriented = shapely.orient_polygons(shapes, exterior_cw=False)
    outcomes.add("reversed", ~shapely.is_missing(shapes) & ~shapely.equals_identical(shapes, oriented))
    return np.asarray(oriented)


def _repaired(shapes: Shapes, outcomes: ShapeOutcomes) -> tuple[Shapes, Mask]:
    """Shapes without self-crossings, and which of them have no area after that."""
    broken = ~(shapely.is_valid(shapes) | shapely.is_missing(shapes))
    emptied = np.zeros(shapes.size, dtype=np.bool_)
    if not broken.any():
        return shapes, emptied
    whole = shapes.copy()
    whole[broken] = [_of_dimension(shape, shapely.make_valid(shape)) for shape in shapes[broken]]
    emptied = broken & (shapely.is_missing(whole) | shapely.is_empty(whole))
    outcomes.add("repaired", broken & ~emptied)
    return only(whole, ~emptied), emptied


def _of_dimension(before: Any, after: Any) -> Any:
    """The parts of a repaired shape that have the dimension which it had before: a polygon's polygons."""
    dimension = shapely.get_dimensions(before)
    parts = shapely.get_parts(shapely.get_parts(after))
    kept = [part for part in parts if shapely.get_dimensions(part) == dimension]
    if dimension != 2 or len(kept) <= 1:
        return kept[0] if len(kept) == 1 else after if kept else None
    return shapely.MultiPolygon(kept)


def read_points(longitude: Degrees, latitude: Degrees) -> Shapes:
    """Points; None where a coordinate is missing or no place on earth."""
    usable = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
    points = np.full(longitude.size, None, dtype=object)
    points[usable] = shapely.points(longitude[usable], latitude[usable])
    return points


def locate(shapes: Shapes, points: Shapes, *, points_only: bool) -> Shapes:
    """The geometry of each row: the point, or one inside the shape, in a layer of points; otherwise the shape first."""
    first, second = (points, shapes) if points_only else (shapes, points)
    missing = shapely.is_missing(first)
    if not missing.any():
        return first
    if points_only:
        second = _inner_points(only(shapes, missing))
    return np.where(missing, second, first)


def of_group(shapes: Shapes, group: GeometryGroup) -> Mask:
    """Mask of the geometries of a group."""
    if group == "mixed":
        return np.asarray(~shapely.is_missing(shapes))
    return np.asarray(_GROUP_OF_TYPE_ID[shapely.get_type_id(shapes)] == group)


def promoted(shapes: Shapes, geometry_type: str) -> Shapes:
    """The geometries as those of the multiple type that a layer declares."""
    make = {
        "MultiPoint": shapely.multipoints,
        "MultiLineString": shapely.multilinestrings,
        "MultiPolygon": shapely.multipolygons,
    }.get(geometry_type)
    if make is None:
        return shapes
    single = shapely.get_num_geometries(shapes) == 1
    single &= ~np.isin(shapely.get_type_id(shapes), (4, 5, 6))
    if not single.any():
        return shapes
    multiple = shapes.copy()
    multiple[single] = make(shapes[single], indices=np.arange(np.count_nonzero(single)))
    return multiple


def only(shapes: Shapes, mask: Mask) -> Shapes:
    """The shapes that the mask selects in their places, None in the others."""
    if mask.all():
        return shapes
    chosen = np.full(shapes.size, None, dtype=object)
    chosen[mask] = shapes[mask]
    return chosen


def _inner_points(shapes: Shapes) -> Shapes:
    """A point inside each shape."""
    inner = shapely.point_on_surface(shapes)
    return only(inner, ~(shapely.is_empty(inner) | shapely.is_missing(inner)))
