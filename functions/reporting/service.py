"""The rules of asking for a report, and of taking it."""

from uuid import UUID

from functions.reporting import studies
from functions.reporting.schemas import ReportRequest, SalesRatioStudyParameters
from shared import jobs
from shared.access import Caller
from shared.jobs import Job
from shared.jobs.download import download_url

KIND = "report"


def submit(county_id: str, request: ReportRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a report.

    Raises Unprocessable for a ratio study that the county does not have, Conflict for one that has not succeeded.
    """
    if isinstance(request.parameters, SalesRatioStudyParameters):
        studies.require_succeeded(county_id, request.parameters.ratio_study_id)
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, job_id: UUID) -> Job:
    """A report's job. Raises NotFound."""
    return jobs.get(county_id, KIND, job_id)


def file_address(county_id: str, job_id: UUID) -> str:
    """Where the file can be taken from, for 15 minutes. Raises NotFound, and Conflict while there is none."""
    return download_url(county_id, KIND, job_id)
