"""Approval of a report: who asks for it, and which approval a report has."""

from uuid import NAMESPACE_URL, UUID, uuid5

from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.schemas import ApproveReport, ReportApprovalJob, ReportResult
from shared import jobs
from shared.access import Caller
from shared.jobs import Job
from shared.jobs.lifecycle import results_as
from shared.problems import Conflict, NotFound, Unprocessable


def submit_approval(county_id: str, report_id: UUID, request: ApproveReport, caller: Caller) -> Job:
    """Start approving a report. A report is approved once: the same request again finds the approval.

    Raises NotFound, and Conflict for a report that is not made, or that somebody has approved otherwise.
    """
    results_as(ReportResult, county_id, REPORT.name, report_id)
    approval = ReportApprovalJob(report_id=report_id, approved_by=caller.username, note=request.note)
    try:
        return jobs.submit(
            county_id, REPORT_APPROVAL, approval, caller=caller, job_id=_approval_id(county_id, report_id)
        )
    except Unprocessable:  # of the same id, with other parameters
        earlier = find_approval(county_id, report_id)
        raise Conflict(
            f"The report was approved by {earlier.submitted_by} at {earlier.created_at:%Y-%m-%d %H:%M} UTC already.",
            slug="report-approved",
        ) from None


def find_approval(county_id: str, report_id: UUID) -> Job:
    """The job that approved a report. Raises NotFound for a report that nobody has approved."""
    try:
        return jobs.get(county_id, REPORT_APPROVAL, _approval_id(county_id, report_id))
    except NotFound:
        raise NotFound(f"Nobody has approved the report {report_id}.", slug="report-not-approved") from None


def _approval_id(county_id: str, report_id: UUID) -> UUID:
    """The id of a report's approval, of which there is one."""
    return uuid5(NAMESPACE_URL, "\x1f".join((county_id, REPORT_APPROVAL.name, str(report_id))))
