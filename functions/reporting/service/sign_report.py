"""Signing a report: the file that was reviewed, with who approved it and when, kept as it is."""

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.reporting.domain.heading import Approval
from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.reports.request import ReportRequest
from functions.reporting.schemas import ReportApproval, ReportApprovalJob, ReportResult
from functions.reporting.service import build_report
from shared import audit, jobs, storage
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import store_file
from shared.jobs.lifecycle import results_as
from shared.problems import Conflict


def run(job: RunningJob) -> ReportApproval:
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
