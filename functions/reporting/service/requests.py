"""Reports as jobs: submitted, looked at, and the address of their file."""

from uuid import UUID

from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.request import ReportRequest
from shared import jobs
from shared.access import Caller
from shared.jobs import Job
from shared.jobs.download import download_url
from shared.problems import faults_below

KIND = "report"


def submit(county_id: str, request: ReportRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a report. Raises Unprocessable or Conflict for one that its type knows it cannot build."""
    with faults_below("/parameters"):
        REPORT_TYPES[request.report_type].check(county_id, request.parameters)
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, job_id: UUID) -> Job:
    """A report's job. Raises NotFound."""
    return jobs.get(county_id, KIND, job_id)


def file_address(county_id: str, job_id: UUID) -> str:
    """A signed address of the file, for 15 minutes. Raises NotFound, and Conflict while there is none."""
    return download_url(county_id, KIND, job_id)
