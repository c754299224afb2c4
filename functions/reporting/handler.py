"""Routes of reports."""

from dataclasses import replace

from functions.reporting.job_kinds import REPORT
from functions.reporting.reports.request import ReportRequest
from functions.reporting.service import requests
from shared.api import Api, Operation, declare_job_routes

api = Api("reporting")
handler = api.handler

declare_job_routes(
    api,
    replace(REPORT, request=ReportRequest),
    submit=Operation(
        "make_report",
        "Make a report",
        "Make a report of one of the types, as PDF, CSV or JSON; each carries the same numbers.",
    ),
    check=requests.require_buildable,
    get=Operation("get_report", "A report's progress", "How a report goes."),
    download=Operation(
        "download_report", "Take a report's file", "Redirect (303) to an address of the file that holds for 15 minutes."
    ),
)
