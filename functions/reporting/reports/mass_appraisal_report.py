"""The mass appraisal report, item by item of USPAP's Standards Rule 6-2: for the county, or for one area of it.

A report without one of its mandatory items is refused, by the item's name, before there is a job.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from functions.reporting.domain.contents import Column, Contents, DataTable, Kind
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.mass_appraisal import (
    AppraisalFigures,
    AppraiserStatements,
    ReportArea,
    area_sample,
    area_values,
)
from functions.reporting.render.charts.ratio_map import PlacedParcel
from functions.reporting.render.sections.mass_appraisal import appraisal_sections
from functions.reporting.reports.finished_study import read_sales, read_study, require_succeeded
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.reports.succeeded_job import require_succeeded_job
from functions.reporting.reports.valuation_summary import read_run
from functions.reporting.repository import properties
from functions.reporting.repository.importances import importances
from shared.contracts.ratio_study import RatioStudyResults, StudiedSales, StudyResult
from shared.db import unit_of_work
from shared.problems import Unprocessable
from shared.schemas import RequestSchema
from shared.typesetting import display


class MassAppraisalParameters(RequestSchema):
    """The values, the ratio studies of the values before and of those of the run, the area, and what people state.

    Without an `area` the report is of the whole county. The studies have to have statistics of the area: by the stratum
    `neighborhood` or `property_class`.
    """

    valuation_run_id: UUID
    ratio_study_before_id: UUID
    ratio_study_after_id: UUID
    area: ReportArea | None = None
    statements: AppraiserStatements


class MassAppraisalReport(ReportType[MassAppraisalParameters]):
    """The report of a mass appraisal."""

    title = "Mass Appraisal Report"
    parameters = MassAppraisalParameters

    def check(self, county_id: str, parameters: MassAppraisalParameters) -> None:
        """Require a run and studies that have succeeded, of the run's values and of the area."""
        require_succeeded_job(county_id, "valuation_run", parameters.valuation_run_id, "/valuation_run_id")
        require_succeeded(county_id, parameters.ratio_study_before_id, "/ratio_study_before_id")
        require_succeeded(county_id, parameters.ratio_study_after_id, "/ratio_study_after_id")
        _figures(county_id, parameters, None)

    def build(self, heading: Heading, parameters: MassAppraisalParameters) -> Report:
        """Read everything that is stored, and lay it out with what people state."""
        sales = read_sales(heading.county_id, parameters.ratio_study_after_id)
        figures = _figures(heading.county_id, parameters, sales)
        with unit_of_work(heading.county_id) as connection:
            parcels = properties.placed_parcels(connection, heading.county_id)
        return appraisal_report(heading, parameters, figures, parcels)


REPORT_TYPE = MassAppraisalReport()


def appraisal_report(
    heading: Heading, parameters: MassAppraisalParameters, figures: AppraisalFigures, parcels: Sequence[PlacedParcel]
) -> Report:
    """Lay out a report; the table of data has the importances."""
    area = parameters.area
    certification = parameters.statements.certification
    return Report(
        title=MassAppraisalReport.title,
        contents=Contents(
            facts=[
                (
                    "Area",
                    "whole county" if area is None else display.name(area.value),
                ),
                ("Effective date", display.day(figures.run.valuation_date)),
                ("Properties", display.count(figures.area_values.properties)),
                ("Total of the values", display.dollars(figures.area_values.estimate_total)),
            ],
            sections=appraisal_sections(parameters.statements, figures, area, heading.generated_at.date(), parcels),
            sign_off=(f"Certified by {display.name(certification.signed_by)}, {display.name(certification.title)}",),
            has_outline=True,
        ),
        document={"figures": figures.model_dump(mode="json")},
        table=DataTable(
            [
                Column("feature"),
                Column("mean_contribution", Kind.DOLLARS),
                Column("properties", Kind.COUNT),
            ],
            [[each.feature, each.mean_contribution, each.properties] for each in figures.importances],
        ),
    )


def _figures(county_id: str, parameters: MassAppraisalParameters, sales: StudiedSales | None) -> AppraisalFigures:
    """The stored figures. Raises Unprocessable for studies and runs that are not of the same, or not of the area."""
    area, run_id = parameters.area, parameters.valuation_run_id
    run, models = read_run(county_id, run_id)
    before = read_study(county_id, parameters.ratio_study_before_id, "/ratio_study_before_id").results
    after = read_study(county_id, parameters.ratio_study_after_id, "/ratio_study_after_id").results
    if after.valuation_run_id != run_id:
        raise Unprocessable(
            f"The study is not of the values of valuation run {run_id}.",
            pointer="/ratio_study_after_id",
            slug="ratio-study-of-other-values",
        )
    values = area_values(run, area)
    if values is None:
        raise Unprocessable("The run valued no property of the area.", pointer="/area", slug="area-not-valued")
    with unit_of_work(county_id) as connection:
        important = importances(connection, county_id, run_id, area)
    return AppraisalFigures(
        run=run,
        area_values=values,
        models=tuple(models),
        importances=tuple(important),
        before=before,
        after=after,
        before_sample=_sample(before, area, "/ratio_study_before_id"),
        after_sample=_sample(after, area, "/ratio_study_after_id"),
        sales=sales,
    )


def _sample(results: RatioStudyResults, area: ReportArea | None, pointer: str) -> StudyResult:
    sample = area_sample(results, area)
    if sample is None:
        raise Unprocessable(
            "The study has no statistics of the area: study the county by that stratum, or choose an area with more"
            " sales.",
            pointer=pointer,
            slug="ratio-study-without-area",
        )
    return sample
