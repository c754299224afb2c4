"""The valuation summary: what a valuation run found, by class and neighborhood, and the models that valued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import Column, Contents, DataTable, Kind, Section, Statement, Statements
from functions.reporting.domain.heading import Heading
from functions.reporting.render.sections.models import model_sections
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.reports.stored_results import read_results
from functions.reporting.reports.succeeded_job import require_succeeded_job
from shared.contracts.valuation_model import ValuationModelResults
from shared.contracts.valuation_run import Change, GroupChange, ValuationRunSummary
from shared.schemas import RequestSchema
from shared.typesetting import display

_RUN, _MODEL, _POINTER = "valuation_run", "valuation_model", "/valuation_run_id"

_COLUMNS = (
    Column("Properties", Kind.COUNT, is_summed=True),
    Column("Valued", Kind.COUNT, is_summed=True),
    Column("To review", Kind.COUNT, "review", is_summed=True),
    Column("Values", Kind.DOLLARS, "estimate_total", is_summed=True),
    Column("Compared", Kind.COUNT, is_summed=True),
    Column("Current", Kind.DOLLARS, "compared_current_total", is_summed=True),
    Column("Change %", Kind.PERCENT, "change_percent"),
    Column("Lowest 5%", Kind.PERCENT, "p5"),
    Column("Median", Kind.PERCENT, "median"),
    Column("Highest 5%", Kind.PERCENT, "p95"),
)


class ValuationSummaryParameters(RequestSchema):
    """`valuation_run_id`: a valuation run of the county that has succeeded."""

    valuation_run_id: UUID


class ValuationSummary(ReportType[ValuationSummaryParameters]):
    """The report of a valuation run."""

    title = "Valuation Summary"
    parameters = ValuationSummaryParameters

    def check(self, county_id: str, parameters: ValuationSummaryParameters) -> None:
        """Require a run that has succeeded."""
        require_succeeded_job(county_id, _RUN, parameters.valuation_run_id, _POINTER)

    def build(self, heading: Heading, parameters: ValuationSummaryParameters) -> Report:
        """Read the stored results of the run and its models, and lay them out."""
        run, models = read_run(heading.county_id, parameters.valuation_run_id)
        return valuation_report(run, models)


REPORT_TYPE = ValuationSummary()


def read_run(county_id: str, run_id: UUID) -> tuple[ValuationRunSummary, list[ValuationModelResults]]:
    """A run's summary, and the results of its models, each once. Raises as `read_results` does."""
    run = read_results(ValuationRunSummary, county_id, _RUN, run_id, _POINTER)
    model_ids = dict.fromkeys(model.model_id for model in run.models)
    return run, [read_results(ValuationModelResults, county_id, _MODEL, each, _POINTER) for each in model_ids]


def valuation_report(run: ValuationRunSummary, models: Sequence[ValuationModelResults]) -> Report:
    """Lay out a run; the table of data has every class and neighborhood."""
    groups: Mapping[str, Sequence[GroupChange]] = {
        "property_class": run.by_property_class,
        "neighborhood": run.by_neighborhood,
    }
    rows = [
        ["county", None, *_cells(run.overall)],
        *([grouping, group.group, *_cells(group)] for grouping, found in groups.items() for group in found),
    ]
    return Report(
        title=ValuationSummary.title,
        contents=Contents(facts=_facts(run), sections=[*run_sections(run), *model_sections(models)], flipped=True),
        document={
            "valuation_run": run.model_dump(mode="json"),
            "models": [model.model_dump(mode="json") for model in models],
        },
        table=DataTable([Column("grouping"), Column("group"), *_COLUMNS], rows),
    )


def run_sections(run: ValuationRunSummary) -> list[Section]:
    """A run's findings, by class and by neighborhood, and its flags and refusals."""
    return [
        Section("Summary", [Statements([Statement(text) for text in _statements(run)])]),
        Section("By property class", [_table("Property class", run.by_property_class, run.overall)]),
        Section("By neighborhood", [_table("Neighborhood", run.by_neighborhood, run.overall)]),
        *_counted("Flags", "Flag", run.flags),
        *_counted("Properties without a value", "Reason", run.not_valued),
    ]


def _counted(title: str, column: str, counts: Mapping[str, int]) -> list[Section]:
    rows = [[phrases.label(name), number] for name, number in counts.items()]
    return [Section(title, [DataTable([Column(column), Column("Properties", Kind.COUNT)], rows)])] if rows else []


def _table(title: str, groups: Sequence[GroupChange], overall: Change) -> DataTable:
    return DataTable(
        [Column(title), *_COLUMNS],
        [[group.group or "(none)", *_cells(group)] for group in groups],
        title=f"Values by {title.lower()}",
        total=["County", *_cells(overall)],
        size=lambda row: row[1],
        largest="those of most properties",
    )


def _cells(change: Change) -> list[Any]:
    return [getattr(change, column.data_name) for column in _COLUMNS]


def _facts(run: ValuationRunSummary) -> list[tuple[str, str]]:
    overall = run.overall
    return [
        ("Valuation date", display.day(run.valuation_date)),
        ("Properties", display.count(overall.properties)),
        ("Valued", display.count(overall.valued)),
        ("To review", display.count(overall.review)),
        ("Total of the values", display.dollars(overall.estimate_total)),
        ("Current total of those compared", display.dollars(overall.compared_current_total)),
        ("Median change", _percent(overall.median)),
        ("Change of the total", _percent(overall.change_percent)),
    ]


def _statements(run: ValuationRunSummary) -> list[str]:
    overall = run.overall
    statements = [
        (
            f"{display.count(overall.valued)} of {phrases.number_of(overall.properties, 'property', 'properties')}"
            f" {phrases.have(overall.valued)} a value as of {display.day(run.valuation_date)};"
            f" {display.count(overall.review)} of them {phrases.are(overall.review)} to be reviewed."
        )
    ]
    if overall.compared and overall.change_percent is not None:
        statements.append(
            f"The {display.count(overall.compared)} that have a current value too were worth"
            f" {display.dollars(overall.compared_current_total)} and are valued at"
            f" {display.dollars(overall.compared_estimate_total)} ({_percent(overall.change_percent)})."
        )
    if overall.p5 is not None and overall.p95 is not None:
        statements.append(
            f"Half of the changes are below {_percent(overall.median)}, nine in ten between {_percent(overall.p5)} and"
            f" {_percent(overall.p95)}."
        )
    return statements


def _percent(value: float | None) -> str:
    return display.MISSING if value is None else f"{display.decimals(value, 1)}%"
