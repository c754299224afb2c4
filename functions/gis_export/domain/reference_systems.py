"""Coordinate reference systems by EPSG code, from PROJ's own database (it comes with pyogrio)."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from shared.problems import Unprocessable

Box = tuple[float, float, float, float]

_FLAT = ("projected", "geographic 2D")


@dataclass(frozen=True)
class ReferenceSystem:
    """A reference system, and the boxes (west, south, east, north; degrees) that it is meant for.

    West is greater than east where a box crosses the 180th meridian.
    """

    code: int
    name: str
    areas: tuple[Box, ...]

    def meant_for(self, extent: Box) -> bool:
        """True if the extent touches the system's area of use."""
        return any(_overlap(area, extent) for area in self.areas)


def can_find() -> bool:
    """True if PROJ's database is installed: a function without the geo layer has none."""
    return _database_path() is not None


def find(crs: str) -> ReferenceSystem:
    """The system of `EPSG:code`. Raises Unprocessable for a code that is none, or not one for maps."""
    code = int(crs.removeprefix("EPSG:"))
    with closing(sqlite3.connect(f"{_database().as_uri()}?mode=ro&immutable=1", uri=True)) as proj:
        systems = proj.execute(
            "SELECT name, type FROM crs_view WHERE auth_name = 'EPSG' AND code = ?", (str(code),)
        ).fetchall()
        areas = proj.execute(
            "SELECT e.west_lon, e.south_lat, e.east_lon, e.north_lat"
            " FROM usage u JOIN extent e ON e.auth_name = u.extent_auth_name AND e.code = u.extent_code"
            " WHERE u.object_table_name IN ('projected_crs', 'geodetic_crs')"
            " AND u.object_auth_name = 'EPSG' AND u.object_code = ?",
            (str(code),),
        ).fetchall()
    if not systems:
        raise _refused(f"{crs} is no coordinate reference system of the EPSG dataset.", "crs-unknown")
    ((name, kind),) = systems
    if kind not in _FLAT:
        raise _refused(f"{crs} ({name}) is {kind}: a map needs a projected or a geographic 2D one.", "crs-not-for-maps")
    return ReferenceSystem(code, name, tuple(areas))


def require_within(system: ReferenceSystem, extent: Box) -> None:
    """Raise Unprocessable where no part of the extent lies in the area that the system is meant for."""
    if not system.meant_for(extent):
        raise _refused(
            f"EPSG:{system.code} ({system.name}) is not meant for where this county lies.", "crs-of-another-place"
        )


def _database() -> Path:
    path = _database_path()
    if path is None:
        raise ModuleNotFoundError("pyogrio (the geo layer) brings PROJ's database")
    return path


def _database_path() -> Path | None:
    spec = find_spec("pyogrio")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "proj_data" / "proj.db"


def _overlap(area: Box, extent: Box) -> bool:
    west, south, east, north = area
    if south > extent[3] or north < extent[1]:
        return False
    if west <= east:
        return west <= extent[2] and east >= extent[0]
    return extent[2] >= west or extent[0] <= east


def _refused(detail: str, slug: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/body/crs", slug=slug)
