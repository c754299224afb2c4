"""The kind of job of GIS exports."""

from functions.gis_export.schemas import GisExportRequest, GisExportResult
from shared.access import Permission
from shared.jobs import JobKind

GIS_EXPORT = JobKind(
    "gis_export",
    collection="gis-exports",
    id_parameter="export_id",
    request=GisExportRequest,
    results=GisExportResult,
    run=Permission.RUN_GIS_EXPORT,
    view=Permission.VIEW_GIS_EXPORT,
    linked=("download",),
    repeatable=True,
)
