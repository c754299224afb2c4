"""The kinds of jobs of reports."""

from typing import Any

from functions.reporting.schemas import ReportApproval, ReportApprovalJob, ReportResult
from shared.access import Permission
from shared.jobs import JobKind
from shared.schemas import RequestSchema

REPORT: JobKind[Any, ReportResult] = JobKind(
    "report",
    collection="reports",
    id_parameter="report_id",
    request=RequestSchema,  # of which the registry of report types makes its own, in reports/request.py
    results=ReportResult,
    run=Permission.RUN_REPORT,
    view=Permission.VIEW_REPORT,
    linked=("download",),
    repeatable=True,
)
REPORT_APPROVAL = JobKind(
    "report_approval",
    collection="report-approvals",
    id_parameter="approval_id",
    request=ReportApprovalJob,
    results=ReportApproval,
    run=Permission.APPROVE_REPORT,
    view=Permission.VIEW_REPORT,
    linked=("results", "download"),
)
