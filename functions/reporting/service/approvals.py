"""Approval of a report: the file that was reviewed, signed with who approved it and when, and kept as it is."""

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.reports.report_type import Approval
from functions.reporting.reports.request import ReportRequest
from functions.reporting.schemas import ApproveReport, ReportApproval, ReportApprovalJob, ReportResult
from functions.reporting.service import build_report
from shared import audit, jobs, storage
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs import Job, RunningJob
from shared.jobs.download import store_file
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


def approve(job: RunningJob) -> ReportApproval:
    """Sign the report and put the signed file into the job's folder. Idempotent.

    What is signed is what was reviewed: the report is built anew, and has to be the file that was made, byte for byte.
    Raises Conflict where it is not, because its data has changed since.
    """
    request = ReportApprovalJob.model_validate(job.parameters)
    report = jobs.get(job.county_id, REPORT, request.report_id)
    made = results_as(ReportResult, job.county_id, REPORT.name, request.report_id)
    asked = ReportRequest.model_validate(report.parameters)
    reviewed = storage.get(storage.county_key(job.county_id, "jobs", str(request.report_id), made.file.filename))
    heading = build_report.heading_of(job.county_id, str(request.report_id), report.created_at)
    if build_report.build(heading, asked).content != reviewed:
        raise Conflict(
            "The report would not be the same any more: its data, or a later release's layout, has changed since it was"
            " made. Make it again, and approve that.",
            slug="report-outdated",
        )
    approved_at = jobs.get(job.county_id, REPORT_APPROVAL, job.job_id).created_at
    signed = build_report.build(replace(heading, approval=Approval(request.approved_by, approved_at)), asked)
    digest = hashlib.sha256(signed.content).hexdigest()
    with TemporaryDirectory() as folder:
        path = Path(folder, made.file.filename)
        path.write_bytes(signed.content)
        stored = store_file(job, path, f"approved-{made.file.filename}", made.file.content_type)
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        audit.record(
            connection,
            job.county_id,
            request.approved_by,
            "report.approved",
            REPORT.subject(request.report_id),
            {"sha256": digest, "note": request.note},
        )
    return ReportApproval(
        report_id=request.report_id,
        approved_by=request.approved_by,
        approved_at=approved_at,
        note=request.note,
        sha256=digest,
        file=stored,
    )


def _approval_id(county_id: str, report_id: UUID) -> UUID:
    """The id of a report's approval, of which there is one."""
    return uuid5(NAMESPACE_URL, "\x1f".join((county_id, REPORT_APPROVAL.name, str(report_id))))
