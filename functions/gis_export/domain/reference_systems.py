"""Coordinate reference systems by EPSG code, and coordinates of WGS 84 in them.

Between WGS 84 and NAD83 and its realisations no shift grids are used: positions agree within a metre or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from functions.gis_export.domain.shapes import Shapes, only
from shared.geo.bounding_box import Box
from shared.geo.map_systems import NoMapSystemError, map_system
from shared.problems import Unprocessable

WGS84_CODE = 4326


@dataclass(frozen=True)
class ReferenceSystem:
    """A reference system of a map: a projected one, or one of longitude and latitude."""

    code: int
    crs: CRS

    @property
    def name(self) -> str:
        """The name in the EPSG dataset."""
        return str(self.crs.name)

    @property
    def unit(self) -> str:
        """The unit of the coordinates."""
        return str(self.crs.axis_info[0].unit_name)

    def is_meant_for(self, extent: Box) -> bool:
        """True if the extent touches the area of use; its west is greater than its east across the 180th meridian."""
        area = self.crs.area_of_use
        if area is None:
            return True
        if area.south > extent[3] or area.north < extent[1]:
            return False
        if area.west <= area.east:
            return bool(area.west <= extent[2] and area.east >= extent[0])
        return bool(extent[2] >= area.west or extent[0] <= area.east)

    @cached_property
    def _transformer(self) -> Transformer:
        return Transformer.from_crs(WGS84_CODE, self.crs, always_xy=True)

    def project(self, shapes: Shapes) -> Shapes:
        """Coordinates of WGS 84 in this system, east (or longitude) first; None for what it cannot express."""
        if self.code == WGS84_CODE:
            return shapes
        projected = shapely.transform(shapes, self._coordinates)
        finite = np.isfinite(shapely.bounds(projected)).all(axis=1)
        return only(projected, finite)

    def _coordinates(self, coordinates: Any) -> Any:
        return np.column_stack(self._transformer.transform(coordinates[:, 0], coordinates[:, 1]))


def find(code: int) -> ReferenceSystem:
    """The system of an EPSG code. Raises Unprocessable for a code that is none, or not one for maps."""
    try:
        return ReferenceSystem(code, map_system(code))
    except NoMapSystemError as error:
        raise _refused(str(error), error.slug) from None


def require_within(system: ReferenceSystem, extent: Box) -> None:
    """Raise Unprocessable where no part of the extent lies in the area that the system is meant for."""
    if not system.is_meant_for(extent):
        raise _refused(
            f"EPSG:{system.code} ({system.name}) is not meant for where this county lies.", "crs-of-another-place"
        )


def _refused(detail: str, slug: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/body/crs", slug=slug)
