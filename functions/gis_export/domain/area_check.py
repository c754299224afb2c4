"""The soundness of an area that a request gives."""

import shapely

from functions.gis_export.domain.windows import polygons
from functions.gis_export.schemas import Area
from shared.problems import Unprocessable


def require_valid(area: Area) -> None:
    """Raise Unprocessable for polygons that cross themselves, or whose holes lie outside."""
    for outer, *holes in polygons(area):
        polygon = shapely.Polygon(outer, holes)
        if not polygon.is_valid or polygon.area == 0:
            raise Unprocessable(
                f"The area is not valid: {shapely.is_valid_reason(polygon)}.",
                pointer="/body/area",
                slug="area-invalid",
            )
