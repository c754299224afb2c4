"""Routes of GIS exports."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.gis_export.job_kinds import GIS_EXPORT
from functions.gis_export.schemas import GisExportRequest
from functions.gis_export.service import requests
from shared.api import Api, Operation, declare_job_routes, see_other

api = Api("gis_export")
handler = api.handler


def _check(county_id: str, request: GisExportRequest) -> None:
    requests.check(county_id, request, api.caller)


declare_job_routes(
    api,
    GIS_EXPORT,
    submit=Operation(
        "export_layers",
        "Export layers for a GIS",
        "Export map layers as GeoPackage, GeoJSON, Shapefile, KML, FlatGeobuf, GeoParquet, CSV or File Geodatabase. A\n"
        "GeoPackage is one file; everything else comes as a ZIP archive, with a metadata sheet.",
    ),
    check=_check,
    get=Operation("get_export", "An export's progress", "How an export goes."),
    results=Operation(
        "get_export_results",
        "The layers and rows of an export",
        "How many features each layer holds, how many rows were left out because nobody knows where they lie, and\n"
        "what became of faulty shapes.",
    ),
)


@api.get(f"{GIS_EXPORT.path}/download", permission=GIS_EXPORT.view, summary="Take an export's file", status=303)
def download_export(county_id: str, export_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes.

    403 for an export of a layer that the caller may not see.
    """
    return see_other(requests.download_address(county_id, export_id, api.caller))
