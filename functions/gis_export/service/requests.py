"""Requests for GIS exports: what they must refer to."""

from functions.gis_export.domain import reference_systems
from functions.gis_export.schemas import GisExportRequest


def require_reference_system(_county_id: str, request: GisExportRequest) -> None:
    """Raise Unprocessable for a reference system that no map can have.

    Where this function cannot know the systems, the job looks, and fails for the same reason.
    """
    if not request.is_wgs84 and reference_systems.can_find():
        reference_systems.find(request.crs)
