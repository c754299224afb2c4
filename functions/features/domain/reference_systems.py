"""Coordinate reference systems by URI: CRS84, EPSG:4326 with latitude first, EPSG:3857, and any other by PROJ."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.problems import BadRequest

Coordinates = NDArray[np.float64]
"""A position a row."""

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/{}"
LISTED = (CRS84, _EPSG.format(4326), _EPSG.format(3857))
"""The systems that every collection lists. Any other system of the EPSG dataset for maps is taken too."""
_CODE = re.compile(r"(?:https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/|urn:ogc:def:crs:EPSG:[\d.]*:|EPSG:)(\d{4,6})")
_CRS84_NAMES = frozenset({CRS84, CRS84.replace("http:", "https:"), "OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84"})


@dataclass(frozen=True)
class ReferenceSystem:
    """A reference system, its URI, and conversions to and from longitude and latitude, in its own order of axes."""

    uri: str
    from_degrees: Callable[[Coordinates], Coordinates]
    to_degrees: Callable[[Coordinates], Coordinates]
    decimals: int
    """Decimals of coordinates: a hundredth of a millimetre, in degrees and in metres or feet."""

    @property
    def is_crs84(self) -> bool:
        """True for longitude and latitude, as everything is stored."""
        return self.uri == CRS84

    def positions_to_degrees(self, positions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Longitude and latitude of positions. Raises BadRequest where they are beyond the system."""
        converted = self.to_degrees(np.array(positions, dtype=np.float64))
        if not np.isfinite(converted).all():
            raise BadRequest(f"A position lies beyond the reference system {self.uri}.", slug="crs-out-of-range")
        return [(float(x), float(y)) for x, y in converted]


@lru_cache(maxsize=32)
def reference_system(name: str, parameter: str) -> ReferenceSystem:
    """The system that the query parameter names by URI or `EPSG:code`. Raises BadRequest for one that does not exist,
    or is not for maps.
    """
    if name.strip("[]") in _CRS84_NAMES:
        return ReferenceSystem(CRS84, _same, _same, 10)
    match = _CODE.fullmatch(name.strip("[]"))
    if match is None:
        raise BadRequest(
            f"{parameter}={name[:100]} names no coordinate reference system; write {_EPSG.format('...')} or {CRS84}.",
            slug="crs-unknown",
        )
    code = int(match[1])
    if code == 4326:
        return ReferenceSystem(_EPSG.format(code), _swapped, _swapped, 10)
    return _by_proj(code, parameter)


def _by_proj(code: int, parameter: str) -> ReferenceSystem:
    from pyproj import Transformer  # takes a tenth of a second, which most requests do without

    from shared.geo.map_systems import NoMapSystemError, map_system

    try:
        system = map_system(code)
    except NoMapSystemError as error:
        raise BadRequest(f"{parameter}: {error}", slug=error.slug) from None
    there = Transformer.from_crs("OGC:CRS84", system)
    back = Transformer.from_crs(system, "OGC:CRS84")
    return ReferenceSystem(
        _EPSG.format(code), _transforming(there), _transforming(back), 10 if system.is_geographic else 5
    )


def _transforming(transformer: Any) -> Callable[[Coordinates], Coordinates]:
    def transform(coordinates: Coordinates) -> Coordinates:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    return transform


def _same(coordinates: Coordinates) -> Coordinates:
    return coordinates


def _swapped(coordinates: Coordinates) -> Coordinates:
    return coordinates[:, ::-1]
