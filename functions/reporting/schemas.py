"""Formats, results and approvals of reports. The request's model is derived from the types: `reports/request.py`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

ReportFormat = Literal["pdf", "html", "xlsx", "csv", "json"]
Grouping = Literal["neighborhood", "property_class"]


class ReportResult(Schema):
    """The outcome of a report's job: its type, format and title, and the file."""

    report_type: str
    format: ReportFormat
    title: str
    file: StoredFile


Note = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class ApproveReport(RequestSchema):
    """The approval of a report that was made, with a note for the audit trail."""

    note: Note | None = None


class ReportApprovalJob(RequestSchema):
    """The report that is approved, and by whom."""

    report_id: UUID
    approved_by: str
    note: Note | None = None


class ReportApproval(Schema):
    """A signed report: who approved it and when, and the file that says so, with its SHA-256."""

    report_id: UUID
    approved_by: str
    approved_at: datetime
    note: str | None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    file: StoredFile
