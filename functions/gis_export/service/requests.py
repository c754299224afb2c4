"""The rules of asking for a GIS export, and of taking it."""

from uuid import UUID

from functions.gis_export.domain import reference_systems
from functions.gis_export.schemas import GisExportRequest, GisExportResult
from shared import jobs
from shared.access import Caller
from shared.jobs import Job
from shared.jobs.download import download_url

KIND = "gis_export"


def submit(county_id: str, request: GisExportRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start an export. Raises Unprocessable for a reference system that no map can have.

    Where this function cannot know the systems, the job looks, and fails for the same reason.
    """
    if not request.is_wgs84 and reference_systems.can_find():
        reference_systems.find(request.crs)
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, job_id: UUID) -> Job:
    """An export's job. Raises NotFound."""
    return jobs.get(county_id, KIND, job_id)


def result(county_id: str, job_id: UUID) -> GisExportResult:
    """What an export holds. Raises NotFound, and Conflict while it has not succeeded."""
    return jobs.results_as(GisExportResult, county_id, KIND, job_id)


def file_address(county_id: str, job_id: UUID) -> str:
    """Where the file can be taken from, for 15 minutes. Raises NotFound, and Conflict while there is none."""
    return download_url(county_id, KIND, job_id)
