"""Routes of GIS exports."""

from functions.gis_export.job_kinds import GIS_EXPORT
from functions.gis_export.service import requests
from shared.api import Api, Operation, declare_job_routes

api = Api("gis_export")
handler = api.handler

declare_job_routes(
    api,
    GIS_EXPORT,
    submit=Operation(
        "export_layers",
        "Export layers for a GIS",
        "Export parcels, sales or both as a GeoPackage or as GeoJSON; several GeoJSON layers come as a ZIP archive.",
    ),
    check=requests.require_reference_system,
    get=Operation("get_export", "An export's progress", "How an export goes."),
    results=Operation(
        "get_export_results",
        "What an export holds",
        "How many features each layer holds, and how many rows were left out because nobody knows where they lie.",
    ),
    download=Operation(
        "download_export",
        "Take an export's file",
        "Redirect (303) to an address of the file that holds for 15 minutes.",
    ),
)
