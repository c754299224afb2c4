"""The part of the earth that an export is of: a bounding box, an area, or both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from functions.gis_export.schemas import Area, GisExportRequest
from shared.geo.bounding_box import Box

_EARTH_RADIUS_KM = 6371.0088
"""The mean radius of WGS 84 (IUGG)."""

Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Window:
    """Boxes that do not cross the 180th meridian, of which a feature touches one; and the area that it touches too."""

    boxes: tuple[Box, ...] | None
    area: Area | None

    @classmethod
    def of(cls, request: GisExportRequest) -> Window:
        """The window of a request."""
        return cls(None if request.bbox is None else split_at_antimeridian(request.bbox), request.area)

    @property
    def is_everything(self) -> bool:
        """True where nothing is left out."""
        return self.boxes is None and self.area is None

    @property
    def search_boxes(self) -> tuple[Box, ...] | None:
        """Boxes of which every feature of the window touches one."""
        return self.boxes if self.area is None or self.boxes is not None else (bounds_of(self.area),)


def split_at_antimeridian(box: Box) -> tuple[Box, ...]:
    """A box, or its halves where its west is greater than its east: it crosses the 180th meridian (RFC 7946, 5.2)."""
    west, south, east, north = box
    return (box,) if west <= east else ((west, south, 180.0, north), (-180.0, south, east, north))


def bounds_of(area: Area) -> Box:
    """The bounds of an area."""
    longitudes, latitudes = zip(*(position for ring in outer_rings(area) for position in ring), strict=True)
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def outer_rings(area: Area) -> list[Ring]:
    """The outer rings of an area."""
    return [polygon[0] for polygon in polygons(area)]


def polygons(area: Area) -> list[list[Ring]]:
    """The polygons of an area, each an outer ring and its holes."""
    return [list(area.coordinates)] if area.type == "Polygon" else [list(each) for each in area.coordinates]


def box_sq_km(box: Box) -> float:
    """The area of a box on the sphere, in square kilometres."""
    return (
        sum(
            math.radians(east - west) * (math.sin(math.radians(north)) - math.sin(math.radians(south)))
            for west, south, east, north in split_at_antimeridian(box)
        )
        * _EARTH_RADIUS_KM**2
    )


def area_sq_km(area: Area) -> float:
    """The area of polygons in square kilometres, holes included: in the cylindrical equal-area projection."""
    return sum(map(_ring_sq_km, outer_rings(area)))


def _ring_sq_km(ring: Iterable[tuple[float, float]]) -> float:
    points = [(math.radians(longitude), math.sin(math.radians(latitude))) for longitude, latitude in ring]
    twice = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(points))
    return abs(twice) / 2 * _EARTH_RADIUS_KM**2
