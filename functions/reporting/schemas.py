"""Formats and results of reports. The request's model is derived from the types: `reports/request.py`."""

from typing import Literal

from shared.jobs.download import StoredFile
from shared.schemas import Schema

ReportFormat = Literal["pdf", "csv", "json"]
Grouping = Literal["neighborhood", "property_class"]


class ReportResult(Schema):
    """The outcome of a report's job: its type, format and title, and the file."""

    report_type: str
    format: ReportFormat
    title: str
    file: StoredFile
