"""Plane coordinates back to longitude and latitude, for the systems that counties' layers are in.

State plane and UTM are Lambert conformal conic or transverse Mercator on NAD83's ellipsoid; formulas of EPSG Guidance
Note 7-2 (373-7-2, sections 3.1.1.1 and 3.5.3.1, the latter in the series of Krüger, n^4) and Snyder, USGS
Professional Paper 1395. NAD83 is taken for WGS 84, which it differs from by a metre or two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from shared.geometry import Point
from shared.problems import Unprocessable

Inverse = Callable[[Point], Point]

_DATUMS = re.compile(r"WGS_?(19)?84|NAD_?(19)?83|North_American(_Datum)?_1983", re.I)
_CONIC = {"lambert_conformal_conic", "lambert_conformal_conic_2sp", "lambert_conformal_conic_1sp"}
_TRANSVERSE = {"transverse_mercator", "gauss_kruger"}
_WEB = {"mercator_auxiliary_sphere", "popular_visualisation_pseudo_mercator"}


def inverse_of(wkt: str, layer: str) -> Inverse:
    """What brings a layer's points to degrees, by its reference system in WKT 1 (a .prj file, a GeoPackage).

    Raises Unprocessable for a datum or a projection that is not known here.
    """
    name = _quoted(wkt, r"(?:PROJCS|PROJCRS|GEOGCS|GEOGCRS)") or "unnamed"
    datum = _quoted(wkt, "DATUM") or ""
    if not _DATUMS.search(datum.replace(" ", "_")):
        raise _refused(layer, name, f"its datum {datum or '(none)'} is neither WGS 84 nor NAD83")
    if _quoted(wkt, "PROJCS") is None:
        if _quoted(wkt, "GEOGCS") is None or not _in_degrees(wkt):
            raise _refused(layer, name, "it is neither in degrees nor a projection that is described in WKT 1")
        return lambda point: point
    projection = (_quoted(wkt, "PROJECTION") or "").lower()
    if projection in _WEB or "Pseudo-Mercator" in name:
        return _web_mercator
    system = _Plane.read(_element(wkt, "PROJCS"))
    if projection in _CONIC:
        return _conic(system)
    if projection in _TRANSVERSE:
        return _transverse(system)
    raise _refused(layer, name, f"its projection {projection} is not read")


@dataclass(frozen=True)
class _Plane:
    """Parameters of a projected system: radians and metres; `unit` metres are one unit of its coordinates."""

    axis: float
    squeeze: float
    parameters: dict[str, float]
    unit: float

    @classmethod
    def read(cls, wkt: str) -> _Plane:
        spheroid = re.search(r'SPHEROID\s*\[\s*"[^"]*"\s*,\s*([\d.eE+-]+)\s*,\s*([\d.eE+-]+)', wkt, re.I)
        named = re.findall(r'PARAMETER\s*\[\s*"([^"]+)"\s*,\s*([\d.eE+-]+)', wkt, re.I)
        units = re.findall(r'UNIT\s*\[\s*"[^"]*"\s*,\s*([\d.eE+-]+)', wkt, re.I)
        axis, flattening = (float(found) for found in spheroid.groups()) if spheroid else (6378137.0, 298.257222101)
        parameters = {name.lower(): float(value) for name, value in named}
        return cls(axis, 1 / flattening if flattening else 0.0, parameters, float(units[-1]) if units else 1.0)

    def angle(self, *names: str) -> float:
        return math.radians(self.number(*names, default=0.0))

    def number(self, *names: str, default: float) -> float:
        return next((self.parameters[name] for name in names if name in self.parameters), default)

    @property
    def eccentricity(self) -> float:
        return math.sqrt(self.squeeze * (2.0 - self.squeeze))

    def metres(self, point: Point) -> Point:
        """From the false origin, in metres."""
        east, north = (self.number(name, default=0.0) for name in ("false_easting", "false_northing"))
        return (point[0] - east) * self.unit, (point[1] - north) * self.unit


def _conic(plane: _Plane) -> Inverse:
    e = plane.eccentricity
    origin, meridian = plane.angle("latitude_of_origin"), plane.angle("central_meridian", "longitude_of_center")
    scale = plane.number("scale_factor", default=1.0)
    first = plane.angle("standard_parallel_1") if "standard_parallel_1" in plane.parameters else origin
    second = plane.angle("standard_parallel_2") if "standard_parallel_2" in plane.parameters else first

    def m(latitude: float) -> float:
        return math.cos(latitude) / math.sqrt(1 - (e * math.sin(latitude)) ** 2)

    def t(latitude: float) -> float:
        sine = e * math.sin(latitude)
        return math.tan(math.pi / 4 - latitude / 2) / math.pow((1 - sine) / (1 + sine), e / 2)

    n = math.sin(first)
    if abs(first - second) > 1e-12:
        n = (math.log(m(first)) - math.log(m(second))) / (math.log(t(first)) - math.log(t(second)))
    factor = plane.axis * scale * m(first) / (n * t(first) ** n)
    apex = factor * t(origin) ** n

    def inverse(point: Point) -> Point:
        x, y = plane.metres(point)
        radius = math.copysign(math.hypot(x, apex - y), n)
        angle = math.atan2(math.copysign(1, n) * x, math.copysign(1, n) * (apex - y))
        reduced = (radius / factor) ** (1 / n)
        latitude = math.pi / 2 - 2 * math.atan(reduced)
        for _ in range(6):
            sine = e * math.sin(latitude)
            latitude = math.pi / 2 - 2 * math.atan(reduced * ((1 - sine) / (1 + sine)) ** (e / 2))
        return math.degrees(angle / n + meridian), math.degrees(latitude)

    return inverse


def _transverse(plane: _Plane) -> Inverse:
    e, n = plane.eccentricity, plane.squeeze / (2 - plane.squeeze)
    origin, meridian = plane.angle("latitude_of_origin"), plane.angle("central_meridian")
    scale = plane.number("scale_factor", default=1.0)
    radius = plane.axis / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    forward = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    backward = (
        n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96 - n**4 / 360,
        n**2 / 48 + n**3 / 15 - 437 * n**4 / 1440,
        17 * n**3 / 480 - 37 * n**4 / 840,
        4397 * n**4 / 161280,
    )

    def conformal(latitude: float) -> float:
        return math.atan(math.sinh(math.asinh(math.tan(latitude)) - e * math.atanh(e * math.sin(latitude))))

    start = conformal(origin)
    arc = radius * (start + sum(h * math.sin(2 * k * start) for k, h in enumerate(forward, 1)))

    def inverse(point: Point) -> Point:
        x, y = plane.metres(point)
        eta, xi = x / (radius * scale), arc / radius + y / (radius * scale)
        xi0 = xi - sum(h * math.sin(2 * k * xi) * math.cosh(2 * k * eta) for k, h in enumerate(backward, 1))
        eta0 = eta - sum(h * math.cos(2 * k * xi) * math.sinh(2 * k * eta) for k, h in enumerate(backward, 1))
        beta = math.asin(math.sin(xi0) / math.cosh(eta0))
        isometric = math.asinh(math.tan(beta))
        total = isometric
        for _ in range(5):
            total = isometric + e * math.atanh(e * math.tanh(total))
        return (
            math.degrees(meridian + math.asin(math.tanh(eta0) / math.cos(beta))),
            math.degrees(math.atan(math.sinh(total))),
        )

    return inverse


def _web_mercator(point: Point) -> Point:
    radius = 6_378_137.0
    return math.degrees(point[0] / radius), math.degrees(math.atan(math.sinh(point[1] / radius)))


def _element(wkt: str, keyword: str) -> str:
    """The element of a text that has one, up to its closing bracket: what follows it is of heights."""
    start = wkt.upper().index(keyword)
    depth, quoted = 0, False
    for place, character in enumerate(wkt[start:], start):
        quoted ^= character == '"'
        if not quoted:
            depth += (character in "[(") - (character in "])")
            if depth == 0 and character in "])":
                return wkt[start : place + 1]
    return wkt[start:]


def _in_degrees(wkt: str) -> bool:
    unit = re.search(r'UNIT\s*\[\s*"[^"]*"\s*,\s*([\d.eE+-]+)', wkt, re.I)
    return unit is not None and math.isclose(float(unit[1]), math.radians(1), rel_tol=1e-6)


def _quoted(wkt: str, keyword: str) -> str | None:
    found = re.search(rf'{keyword}\s*\[\s*"([^"]*)"', wkt, re.I)
    return found.group(1) if found else None


def _refused(layer: str, name: str, why: str) -> Unprocessable:
    return Unprocessable(
        f"{layer} is in {name}: {why}. Export it in WGS 84 (EPSG:4326).", slug="source-reference-system"
    )
