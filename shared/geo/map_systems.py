"""Coordinate reference systems of maps, by their code in the EPSG dataset. Needs pyproj, of the layer geo."""

from pyproj import CRS
from pyproj.exceptions import CRSError


class NoMapSystemError(LookupError):
    """A code of no reference system, or of one that no map is drawn in; `slug` tells which, the message says it."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


def map_system(code: int) -> CRS:
    """The system of an EPSG code: a projected one, or one of longitude and latitude alone. Raises NoMapSystemError."""
    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        message = f"EPSG:{code} is no coordinate reference system of the EPSG dataset."
        raise NoMapSystemError("crs-unknown", message) from None
    if not (crs.is_projected or crs.is_geographic) or len(crs.axis_info) != 2:
        raise NoMapSystemError(
            "crs-not-for-maps",
            f"EPSG:{code} ({crs.name}) is a {crs.type_name}: a map needs a projected one, or one of longitude and"
            " latitude alone.",
        )
    return crs
