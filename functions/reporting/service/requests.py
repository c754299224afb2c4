"""Requests for reports: what they must refer to, and who may have what they make."""

from uuid import UUID

from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.request import ReportRequest
from functions.reporting.schemas import ReportApprovalJob
from shared import jobs
from shared.access import Caller
from shared.jobs.download import download_url
from shared.problems import faults_below


def require_buildable(county_id: str, request: ReportRequest, caller: Caller) -> None:
    """Raise Unprocessable or Conflict for a report that its type knows it cannot build, Forbidden for one of a county
    that the caller may not read.
    """
    _require_readable(county_id, request, caller)
    with faults_below("/parameters"):
        REPORT_TYPES[request.report_type].check(county_id, request.parameters)


def report_address(county_id: str, report_id: UUID, caller: Caller) -> str:
    """The address of a report's file. Raises NotFound, Conflict, and Forbidden as `require_buildable` does."""
    job = jobs.get(county_id, REPORT, report_id)
    _require_readable(county_id, ReportRequest.model_validate(job.parameters), caller)
    return download_url(county_id, REPORT, report_id)


def signed_report_address(county_id: str, approval_id: UUID, caller: Caller) -> str:
    """The address of the file of a signed report. Raises as `report_address` does."""
    approval = ReportApprovalJob.model_validate(jobs.get(county_id, REPORT_APPROVAL, approval_id).parameters)
    report_address(county_id, approval.report_id, caller)
    return download_url(county_id, REPORT_APPROVAL, approval_id)


def _require_readable(county_id: str, request: ReportRequest, caller: Caller) -> None:
    for name in REPORT_TYPES[request.report_type].counties(county_id, request.parameters):
        caller.require_county(name, REPORT.view)
