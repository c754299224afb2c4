"""Routes of reports."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.reporting.reports.request import ReportRequest
from functions.reporting.service import requests
from shared.access import Permission
from shared.api import Api, accepted, answer, declare_job_commands, faults_in_body, see_other
from shared.jobs import Job

api = Api("reporting")
handler = api.handler

_ALL = "/v1/counties/{county_id}/reports"
_ONE = _ALL + "/{report_id}"


@api.post(_ALL, permission=Permission.RUN_REPORT, summary="Make a report", status=202)
def make_report(county_id: str, body: ReportRequest) -> Response[Job]:
    """Make a report of one of the types, as PDF, CSV or JSON; each carries the same numbers."""
    with faults_in_body():
        job = requests.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


declare_job_commands(api, _ONE, kind=requests.KIND, permission=Permission.RUN_REPORT)


@api.get(_ONE, permission=Permission.VIEW_REPORT, summary="A report's progress")
def get_report(county_id: str, report_id: UUID) -> Response[Job]:
    """How a report goes."""
    return answer(requests.get(county_id, report_id))


@api.get(_ONE + "/download", permission=Permission.VIEW_REPORT, summary="Take a report's file", status=303)
def download_report(county_id: str, report_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes."""
    return see_other(requests.file_address(county_id, report_id))
