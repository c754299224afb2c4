"""The sales ratio study: the results of a finished ratio study, for the assessor's signature."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from functions.reporting.domain.contents import (
    Column,
    Contents,
    DataTable,
    Pairs,
    Section,
)
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.phrases import label
from functions.reporting.render.charts.ratio_map import PlacedParcel
from functions.reporting.render.sections.ratio_study import (
    AGAINST_OVERALL,
    chart_sections,
    findings_sections,
    method_section,
    strata_sections,
    study_facts,
    verdicts_by_code,
)
from functions.reporting.reports.finished_study import FinishedStudy, read_sales, read_study, require_succeeded
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import properties
from shared.contracts.ratio_study import (
    RatioStudyResults,
    StudiedSales,
    StudyResult,
)
from shared.db import unit_of_work
from shared.schemas import RequestSchema
from shared.typesetting import display

_COLUMNS = (
    "stratum",
    "stratum_value",
    "sales",
    "trimmed",
    "statistic",
    "value",
    "interval_low",
    "interval_high",
    "verdict",
    "range_low",
    "range_high",
    "reason",
)


class SalesRatioStudyParameters(RequestSchema):
    """`ratio_study_id`: a ratio study of the county that has succeeded; the report shows its results."""

    ratio_study_id: UUID


class SalesRatioStudy(ReportType[SalesRatioStudyParameters]):
    """The report of a ratio study's results: level, uniformity and vertical equity, overall and by stratum."""

    title = "Sales Ratio Study"
    parameters = SalesRatioStudyParameters

    def check(self, county_id: str, parameters: SalesRatioStudyParameters) -> None:
        """Require a study that has succeeded."""
        require_succeeded(county_id, parameters.ratio_study_id)

    def build(self, heading: Heading, parameters: SalesRatioStudyParameters) -> Report:
        """Read the study's stored results and lay them out."""
        county_id = heading.county_id
        study = read_study(county_id, parameters.ratio_study_id)
        with unit_of_work(county_id) as connection:
            parcels = properties.placed_parcels(connection, county_id)
        return study_report(study, read_sales(county_id, parameters.ratio_study_id), parcels)


REPORT_TYPE = SalesRatioStudy()


def study_report(
    study: FinishedStudy, sales: StudiedSales | None = None, parcels: Sequence[PlacedParcel] = ()
) -> Report:
    """Lay out a ratio study; every number is the study's own. `parcels` are those of its map."""
    return Report(
        title=SalesRatioStudy.title,
        contents=Contents(
            facts=study_facts(study.results, study.finished_at.date()),
            sections=[
                *findings_sections(study.results),
                *chart_sections(study.results, sales, parcels),
                method_section(study.results),
                *strata_sections(study.results),
                Section("Parameters", [Pairs(_parameters(study))]),
            ],
        ),
        document={
            "ratio_study": {
                "id": str(study.job.id),
                "finished_at": study.finished_at.isoformat(),
                "submitted_by": study.job.submitted_by,
                "parameters": study.job.parameters,
                "results": dict(study.document),
            }
        },
        table=_table(study.results),
    )


def _table(results: RatioStudyResults) -> DataTable:
    """One row a statistic, the county's first (`stratum` is "county"); one row for a stratum without a study."""
    rows = _statistic_rows("county", None, results.overall)
    for stratum in results.strata:
        if stratum.study is None:
            empty = [None] * (len(_COLUMNS) - 4)
            rows.append([stratum.stratum, stratum.value, stratum.sales, *empty, stratum.reason])
        else:
            rows += _statistic_rows(stratum.stratum, stratum.value, stratum.study)
    return DataTable([Column(name) for name in _COLUMNS], rows)


def _statistic_rows(stratum: str, value: str | None, study: StudyResult) -> list[list[Any]]:
    verdicts = verdicts_by_code(study)
    sample = [stratum, value, study.sales, study.trimming.trimmed]
    rows = []
    for name in [*study.statistics, *([AGAINST_OVERALL] if AGAINST_OVERALL in verdicts else [])]:
        measured = study.statistics["median" if name == AGAINST_OVERALL else name]
        verdict = verdicts.get(name)
        outcome = [verdict.result, verdict.range_low, verdict.range_high] if verdict else [None] * 3
        rows.append([*sample, name, measured.value, measured.low, measured.high, *outcome, None])
    return rows


def _parameters(study: FinishedStudy) -> list[tuple[str, str]]:
    return [
        ("ratio study", str(study.job.id)),
        ("requested by", display.name(study.job.submitted_by)),
        *((label(name).lower(), _parameter_text(value)) for name, value in sorted(study.job.parameters.items())),
    ]


def _parameter_text(value: Any) -> str:
    match value:
        case None:
            return display.MISSING
        case bool():
            return "yes" if value else "no"
        case dict():
            named = [f"{label(key).lower()} {_parameter_text(part)}" for key, part in value.items() if part]
            return display.name("; ".join(named)) if named else display.MISSING
        case list():
            return ", ".join(map(label, value)).lower() or display.MISSING
        case _:
            return display.name(str(value))
