"""Routes of GIS exports."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.gis_export.schemas import GisExportRequest, GisExportResult
from functions.gis_export.service import requests
from shared.access import Permission
from shared.api import Api, accepted, answer, declare_job_commands, see_other
from shared.jobs import Job

api = Api("gis_export")
handler = api.handler

_ALL = "/v1/counties/{county_id}/gis-exports"
_ONE = _ALL + "/{export_id}"


@api.post(_ALL, permission=Permission.RUN_GIS_EXPORT, summary="Export layers for a GIS", status=202)
def export_layers(county_id: str, body: GisExportRequest) -> Response[Job]:
    """Export parcels, sales or both as a GeoPackage or as GeoJSON; several GeoJSON layers come as a ZIP archive."""
    return accepted(requests.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key))


declare_job_commands(api, _ONE, kind=requests.KIND, permission=Permission.RUN_GIS_EXPORT)


@api.get(_ONE, permission=Permission.VIEW_GIS_EXPORT, summary="An export's progress")
def get_export(county_id: str, export_id: UUID) -> Response[Job]:
    """How an export goes."""
    return answer(requests.get(county_id, export_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_GIS_EXPORT, summary="What an export holds")
def get_export_results(county_id: str, export_id: UUID) -> Response[GisExportResult]:
    """How many features each layer holds, and how many rows were left out because nobody knows where they lie."""
    return answer(requests.result(county_id, export_id))


@api.get(_ONE + "/download", permission=Permission.VIEW_GIS_EXPORT, summary="Take an export's file", status=303)
def download_export(county_id: str, export_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes."""
    return see_other(requests.file_address(county_id, export_id))
