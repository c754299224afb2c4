"""From a request to a file's content."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from functions.reporting import display, repository, roll_summary, studies
from functions.reporting.documents import to_pdf
from functions.reporting.report import Heading, Report
from functions.reporting.roll_report import roll_report
from functions.reporting.schemas import AssessmentRollSummaryParameters, ReportRequest, SalesRatioStudyParameters
from functions.reporting.study_report import study_report
from shared.csv_export.tables import to_csv
from shared.db import unit_of_work


@dataclass(frozen=True)
class MadeReport:
    """A report as a file's content."""

    title: str
    content: bytes


def make_report(county_id: str, job_id: str, request: ReportRequest, asked_at: datetime) -> MadeReport:
    """Make the report that is asked for, at the same time the same bytes.

    Raises Unprocessable or Conflict where the numbers it needs are not there.
    """
    with unit_of_work(county_id) as connection:
        name = repository.county_name(connection, county_id) or county_id
    heading = Heading(county_id, name, job_id, asked_at.astimezone(UTC), request)
    report = _report(heading, request.parameters)
    return MadeReport(report.title, _content(heading, report))


def _report(heading: Heading, parameters: SalesRatioStudyParameters | AssessmentRollSummaryParameters) -> Report:
    if isinstance(parameters, SalesRatioStudyParameters):
        return study_report(heading, studies.read(heading.county_id, parameters.ratio_study_id))
    with unit_of_work(heading.county_id) as connection:
        year, previous = roll_summary.years_to_read(
            parameters.roll_year, repository.roll_years(connection, heading.county_id)
        )
        years = [year] if previous is None else [year, previous]
        rows = repository.roll(connection, heading.county_id, years, parameters.groups)
        overlap = None if previous is None else repository.overlap(connection, heading.county_id, year, previous)
    return roll_report(heading, roll_summary.summarize(rows, year, previous, parameters.groups, overlap))


def _content(heading: Heading, report: Report) -> bytes:
    match heading.request.format:
        case "pdf":
            return to_pdf(heading.request.report_type, page_of(heading, report) | report.view, heading.generated_at)
        case "csv":
            return to_csv(report.table)
        case "json":
            return orjson.dumps(_data_of(heading, report) | report.document, option=orjson.OPT_INDENT_2)


def page_of(heading: Heading, report: Report) -> dict[str, Any]:
    """What every template shows beside the report's own view."""
    return {
        "title": report.title,
        "county_name": " ".join(heading.county_name.split()),
        "generated_at": display.moment(heading.generated_at),
        "job_id": heading.job_id,
    }


def _data_of(heading: Heading, report: Report) -> dict[str, Any]:
    return {
        "report_type": heading.request.report_type,
        "title": report.title,
        "county_id": heading.county_id,
        "county_name": heading.county_name,
        "job_id": heading.job_id,
        "generated_at": heading.generated_at.isoformat(),
        "parameters": heading.request.parameters.model_dump(mode="json"),
    }
