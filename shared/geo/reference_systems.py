"""Coordinate reference systems of rows: those that arithmetic converts to degrees.

PROJ converts all others, which only the functions with the geo layer have; a row in another system is rejected with its
name.
"""

from __future__ import annotations

import math
import re
from typing import Any

Point = tuple[float, float]

MAX_LONGITUDE, MAX_LATITUDE = 180.0, 90.0
MAX_SPAN = 10.0
"""Degrees that a parcel's shape spans at most: a larger one has a misplaced vertex. A choice, above the span of every
county of the contiguous states."""

DEGREES = frozenset({4326, 4979, 4269, 4152, 4759, 6318, 4617, 4258, 4283, 7844})
"""EPSG codes of longitude and latitude in WGS 84, and in systems that agree with it within a metre or two: NAD83 and
its realisations (HARN, NSRS2007, 2011, CSRS), ETRS89, GDA94 and GDA2020."""
WEB_MERCATOR = frozenset({3857, 3785, 900913, 102100, 102113})
"""EPSG:3857, and the codes that ArcGIS and others had for it."""
_LIKE_WGS_84 = re.compile(r"WGS_?\s?(19)?84|NAD_?(19)?83|North_American_1983")
_RADIUS = 6_378_137.0
"""Metres: the sphere of web Mercator (EPSG Guidance Note 7-2, method 1024)."""


class UnknownSystemError(ValueError):
    """A reference system that is not converted in rows; the message names it."""


def require_known(srid: int) -> None:
    """Raise UnknownSystemError for a system that arithmetic alone does not convert to degrees."""
    if srid not in DEGREES and srid not in WEB_MERCATOR:
        raise UnknownSystemError(
            f"is in the reference system {srid} (SRID), and a row's shape has to be in degrees (WGS 84):"
            " send ST_Transform(geom, 4326)"
        )


def to_degrees(srid: int, x: float, y: float) -> Point:
    """Longitude and latitude. Raises UnknownSystemError."""
    require_known(srid)
    if srid in DEGREES:
        return x, y
    try:
        return math.degrees(x / _RADIUS), math.degrees(math.atan(math.sinh(y / _RADIUS)))
    except OverflowError:
        return math.inf, math.inf


def misplaced(west: float, south: float, east: float, north: float) -> str | None:
    """The reason why bounds in degrees cannot be those of a shape; None where they can."""
    if not all(map(math.isfinite, (west, south, east, north))):
        return "has a vertex whose coordinates are no numbers (NaN or infinite)"
    if west < -MAX_LONGITUDE or east > MAX_LONGITUDE or south < -MAX_LATITUDE or north > MAX_LATITUDE:
        at = f"longitude {west:.12g} to {east:.12g}, latitude {south:.12g} to {north:.12g}"
        return f"lies outside the earth's degrees ({at}): its coordinates are not longitude and latitude in WGS 84"
    if east - west > MAX_SPAN or north - south > MAX_SPAN:
        return (
            f"spans {max(east - west, north - south):.4g} degrees: a vertex of it lies far from the others"
            f" (longitude {west:.7g} to {east:.7g}, latitude {south:.7g} to {north:.7g})"
        )
    return None


def srid_of_esri(reference: Any) -> int | None:
    """The code of an ArcGIS answer's `spatialReference`; None where it names none. The latest code goes before the one
    that was given first.

    Raises UnknownSystemError for one that is described as text, and not one of those that are known here.
    """
    if not isinstance(reference, dict):
        return None
    code = reference.get("latestWkid") or reference.get("wkid")
    if isinstance(code, int) and code > 0:
        return code
    text = reference.get("wkt") or reference.get("wkt2")
    if not text:
        return None
    return _srid_of_wkt(str(text))


def _srid_of_wkt(text: str) -> int:
    """The code of a system that is described in well-known text: degrees of a datum that agrees with WGS 84."""
    name = re.match(r'\s*\w+\s*[\[(]\s*"([^"]*)"', text)
    shown = name.group(1) if name else text[:60]
    if re.match(r"\s*GEOG(CS|CRS)", text, re.I) and _LIKE_WGS_84.search(text):
        return 4326
    if re.search(r"Auxiliary_Sphere|Pseudo-Mercator", text):
        return 3857
    raise UnknownSystemError(f"is in the reference system {shown}")


def srid_of_projjson(crs: Any) -> int:
    """The code of a system in PROJJSON (GeoParquet's metadata). Raises UnknownSystemError with its name or code."""
    if not isinstance(crs, dict):
        raise UnknownSystemError(
            "is in a reference system that its file does not say (crs: null); write the file with its system"
        )
    identity = crs.get("id") or {}
    authority, code = str(identity.get("authority", "")).upper(), str(identity.get("code", ""))
    if authority == "OGC" and code.upper().startswith("CRS84"):
        return 4326
    if authority == "EPSG" and code.isdigit() and int(code) in DEGREES | WEB_MERCATOR:
        return int(code)
    named = f"{authority}:{code} ({crs.get('name', 'unnamed')})" if code else str(crs.get("name", "unnamed"))
    raise UnknownSystemError(
        f"is in the reference system {named}, and Parquet's shapes have to be in degrees (OGC:CRS84): write it so, or"
        " send it as GeoPackage, FlatGeobuf or Shapefile, which are converted"
    )
