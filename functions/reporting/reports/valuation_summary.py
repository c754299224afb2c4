"""The valuation summary: what a valuation run found, by class and neighborhood, and the models that valued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from functions.reporting.domain.contents import Column, Contents, DataTable
from functions.reporting.domain.heading import Heading
from functions.reporting.render.sections.models import model_sections
from functions.reporting.render.sections.valuation_run import RUN_COLUMNS, change_cells, run_facts, run_sections
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.reports.stored_results import read_results
from functions.reporting.reports.succeeded_job import require_succeeded_job
from shared.contracts.valuation_model import ValuationModelResults
from shared.contracts.valuation_run import GroupChange, ValuationRunSummary
from shared.schemas import RequestSchema

_RUN, _MODEL, _POINTER = "valuation_run", "valuation_model", "/valuation_run_id"


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
        ["county", None, *change_cells(run.overall)],
        *([grouping, group.group, *change_cells(group)] for grouping, found in groups.items() for group in found),
    ]
    return Report(
        title=ValuationSummary.title,
        contents=Contents(facts=run_facts(run), sections=[*run_sections(run), *model_sections(models)], flipped=True),
        document={
            "valuation_run": run.model_dump(mode="json"),
            "models": [model.model_dump(mode="json") for model in models],
        },
        table=DataTable([Column("grouping"), Column("group"), *RUN_COLUMNS], rows),
    )
