"""Building a report: from a request to a file in the job's folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.reporting.domain.heading import Approval, Heading
from functions.reporting.job_kinds import REPORT
from functions.reporting.render.data_files import write_csv, write_json
from functions.reporting.render.html import write_html
from functions.reporting.render.page import page_of
from functions.reporting.render.pdf import write_pdf
from functions.reporting.render.workbook import write_workbook
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.report_type import Report
from functions.reporting.reports.request import ReportRequest
from functions.reporting.repository import counties
from functions.reporting.schemas import ReportFormat, ReportResult
from shared import jobs
from shared.csv_export.tables import CSV
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import store_file
from shared.tables.formats import XLSX

_CONTENT_TYPES: dict[ReportFormat, str] = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "xlsx": XLSX,
    "csv": CSV,
    "json": "application/json",
}


@dataclass(frozen=True)
class BuiltReport:
    """A report as the content of a file."""

    title: str
    content: bytes


def run(job: RunningJob) -> ReportResult:
    """Build a report and put its file into the job's folder."""
    request = ReportRequest.model_validate(job.parameters)
    requested_at = jobs.get(job.county_id, REPORT, job.job_id).created_at
    built = build(heading_of(job.county_id, str(job.job_id), requested_at), request)
    filename = f"{job.county_id}-{request.report_type.replace('_', '-')}-{requested_at:%Y-%m-%d}.{request.format}"
    with TemporaryDirectory() as folder:
        path = Path(folder, filename)
        path.write_bytes(built.content)
        stored = store_file(job, path, filename, _CONTENT_TYPES[request.format])
    return ReportResult(report_type=request.report_type, format=request.format, title=built.title, file=stored)


def heading_of(county_id: str, job_id: str, requested_at: datetime) -> Heading:
    """The heading of a job's report."""
    with unit_of_work(county_id) as connection:
        name = counties.county_name(connection, county_id) or county_id
    return Heading(county_id, name, job_id, requested_at.astimezone(UTC))


def build(heading: Heading, request: ReportRequest) -> BuiltReport:
    """Build the requested report; the same request and heading give the same bytes.

    Raises Unprocessable, Conflict or Gone where the data that it needs is not there.
    """
    report = REPORT_TYPES[request.report_type].build(heading, request.parameters)
    return BuiltReport(report.title, file_content(heading, request, report))


def file_content(heading: Heading, request: ReportRequest, report: Report) -> bytes:
    """The content of a report's file in the requested format."""
    match request.format:
        case "pdf":
            return write_pdf(page_of(heading, report.title, report.contents))
        case "html":
            return write_html(page_of(heading, report.title, report.contents))
        case "xlsx":
            return write_workbook(page_of(heading, report.title, report.contents))
        case "csv":
            return write_csv(report.table)
        case "json":
            return write_json(_document(heading, request, report))


def _document(heading: Heading, request: ReportRequest, report: Report) -> dict[str, Any]:
    return {
        "report_type": request.report_type,
        "title": report.title,
        "county_id": heading.county_id,
        "county_name": heading.county_name,
        "job_id": heading.job_id,
        "generated_at": heading.generated_at.isoformat(),
        "approval": _approval_document(heading.approval),
        "parameters": request.parameters.model_dump(mode="json"),
        **report.document,
    }


def _approval_document(approval: Approval | None) -> dict[str, str] | None:
    return None if approval is None else {"approved_by": approval.by, "approved_at": approval.at.isoformat()}
