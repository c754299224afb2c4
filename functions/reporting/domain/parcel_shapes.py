"""Parcels on a map: their shapes, and the window that a map shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.geo.geometry import Polygon, polygons_of

Position = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84)."""

METERS_PER_DEGREE = 111_320
"""Of latitude, on a sphere of the Earth's mean radius (IUGG): 2 pi 6371 km / 360, as closely as a small map needs."""


@dataclass(frozen=True)
class MapParcel:
    """A parcel by its position, and by its shape as it is stored (well-known binary) where it has one."""

    property_id: str
    position: Position
    geometry: bytes | None

    @cached_property
    def polygons(self) -> Sequence[Polygon]:
        """The parcel's shape; nothing for one that is known as a point."""
        return [] if self.geometry is None else polygons_of(bytes(self.geometry))

    def corners(self) -> Iterable[Position]:
        """The points of the outline, or the position alone."""
        points = [point for rings in self.polygons for point in rings[0]]
        return points or [self.position]


@dataclass(frozen=True)
class MapWindow:
    """The part of the Earth that a map shows, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def bounds(self) -> dict[str, float]:
        """The four sides by name."""
        return {"west": self.west, "south": self.south, "east": self.east, "north": self.north}

    @property
    def width_m(self) -> float:
        """From west to east along its middle, in meters."""
        return (self.east - self.west) * METERS_PER_DEGREE * math.cos(math.radians((self.south + self.north) / 2))

    def at(self, position: Position) -> tuple[float, float]:
        """A position as shares of the window."""
        return (
            round((position[0] - self.west) / (self.east - self.west), 5),
            round((position[1] - self.south) / (self.north - self.south), 5),
        )


def window_around(positions: Iterable[Position], *, aspect: float, margin: float, min_height_m: float) -> MapWindow:
    """A window that holds every position, with a margin (a share of its sides) around them.

    `aspect` is its width over its height, `min_height_m` the least height in meters.
    """
    longitudes, latitudes = zip(*positions, strict=True)
    middle = ((min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2)
    narrowing = max(math.cos(math.radians(middle[1])), 0.01)
    height = max((max(latitudes) - min(latitudes)) * (1 + 2 * margin), min_height_m / METERS_PER_DEGREE)
    width = (max(longitudes) - min(longitudes)) * (1 + 2 * margin) * narrowing
    height = max(height, width / aspect)
    half_width, half_height = height * aspect / narrowing / 2, height / 2
    return MapWindow(middle[0] - half_width, middle[1] - half_height, middle[0] + half_width, middle[1] + half_height)
