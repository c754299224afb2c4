"""A report, whatever it is about: one set of numbers, shown as a document, as a table, and as data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.reporting.schemas import ReportFormat, ReportRequest, ReportType
from shared.csv_export.tables import CSV, Table


@dataclass(frozen=True)
class Heading:
    """What stands on every report: whose it is, which job made it from what, and when.

    `generated_at` is when the job was asked for, so that a job that runs twice makes the same file.
    """

    county_id: str
    county_name: str
    job_id: str
    generated_at: datetime
    request: ReportRequest


@dataclass(frozen=True)
class Report:
    """A report before it is a file.

    `view` is what the typst template of the report's type shows; `document` what the JSON file holds, `table` the
    CSV file.
    """

    title: str
    view: dict[str, Any]
    document: dict[str, Any]
    table: Table


MOST_PRINTED = 1000
"""A printed table has so many rows at most: nobody reads more on paper, and typesetting them takes memory."""

CONTENT_TYPES: dict[ReportFormat, str] = {
    "pdf": "application/pdf",
    "csv": CSV,
    "json": "application/json",
}

TITLES: dict[ReportType, str] = {
    "sales_ratio_study": "Sales Ratio Study",
    "assessment_roll_summary": "Assessment Roll Summary",
}
