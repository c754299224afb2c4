"""Routes of reports."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.reports.request import ReportRequest
from functions.reporting.schemas import ApproveReport
from functions.reporting.service import approvals, requests
from shared.api import Api, Operation, accepted, answer, declare_job_routes, faults_in_body, see_other
from shared.jobs import Job

api = Api("reporting")
handler = api.handler

declare_job_routes(
    api,
    replace(REPORT, request=ReportRequest),
    submit=Operation(
        "make_report",
        "Make a report",
        "Make a report of one of the types, as PDF, HTML, XLSX, CSV or JSON; each carries the same numbers.",
    ),
    check=lambda county_id, request: requests.require_buildable(county_id, request, api.caller),
    get=Operation("get_report", "A report's progress", "How a report goes."),
)


@api.get(REPORT.path + "/download", permission=REPORT.view, summary="Take a report's file", status=303)
def download_report(county_id: str, report_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes; 403 where a county in it is not yours."""
    return see_other(requests.report_address(county_id, report_id, api.caller))


@api.post(REPORT.path + "/approve", permission=REPORT_APPROVAL.run, summary="Approve a report", status=202)
def approve_report(county_id: str, report_id: UUID, body: ApproveReport) -> Response[Job]:
    """Signs the report as it was made: a file that says who approved it and when, and never changes. Once a report."""
    with faults_in_body():
        return accepted(approvals.submit_approval(county_id, report_id, body, api.caller))


@api.get(REPORT.path + "/approval", permission=REPORT_APPROVAL.view, summary="A report's approval")
def find_report_approval(county_id: str, report_id: UUID) -> Response[Job]:
    """The approval of the report, with the address of the signed file; 404 where nobody has approved it."""
    return answer(approvals.find_approval(county_id, report_id))


declare_job_routes(
    api,
    REPORT_APPROVAL,
    get=Operation("get_report_approval", "An approval's progress", "How the signing of a report goes."),
    results=Operation(
        "get_report_approval_results",
        "The approval and its signed file",
        "Who approved the report and when, and the SHA-256 of the signed file.",
    ),
)


@api.get(
    REPORT_APPROVAL.path + "/download", permission=REPORT_APPROVAL.view, summary="Take a signed report", status=303
)
def download_approved_report(county_id: str, approval_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the signed file that holds for 15 minutes; 403 where a county in it is not
    yours.
    """
    return see_other(requests.signed_report_address(county_id, approval_id, api.caller))
