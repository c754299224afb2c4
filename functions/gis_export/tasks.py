"""The jobs machine's task of GIS exports."""

from pathlib import Path
from tempfile import TemporaryDirectory

from functions.gis_export.domain.formats import FORMATS
from functions.gis_export.job_kinds import GIS_EXPORT
from functions.gis_export.schemas import GisExportRequest, GisExportResult
from functions.gis_export.service.export import write_export
from shared import jobs
from shared.jobs import RunningJob, job_task
from shared.jobs.download import store_file

MAX_NAMED_LAYERS = 4
"""Layers in the name of a file: of more it says how many."""


def run(job: RunningJob) -> GisExportResult:
    """Export a county's layers into one file in the job's folder."""
    request = GisExportRequest.model_validate(job.parameters)
    as_of = jobs.get(job.county_id, GIS_EXPORT, job.job_id).created_at
    named = "-".join(request.layers) if len(request.layers) <= MAX_NAMED_LAYERS else f"{len(request.layers)}-layers"
    with TemporaryDirectory() as folder:
        stem = f"{job.county_id}-{named}-{as_of:%Y-%m-%d}"
        path, layers = write_export(job.county_id, request, Path(folder), stem, as_of, job.progress)
        stored = store_file(job, path, path.name, FORMATS[request.format].content_type)
    return GisExportResult(format=request.format, crs=request.crs, layers=layers, file=stored)


handler = job_task({GIS_EXPORT: run})
