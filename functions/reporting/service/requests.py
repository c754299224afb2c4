"""Requests for reports: what they must refer to."""

from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.request import ReportRequest
from shared.problems import faults_below


def require_buildable(county_id: str, request: ReportRequest) -> None:
    """Raise Unprocessable or Conflict for a report that its type knows it cannot build."""
    with faults_below("/parameters"):
        REPORT_TYPES[request.report_type].check(county_id, request.parameters)
