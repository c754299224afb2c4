"""A mass appraisal, all of whose names and statements are one."""

from decimal import Decimal
from typing import Any

from functions.reporting.domain.mass_appraisal import AppraisalFigures, Importance
from functions.reporting.reports.finished_study import results_model
from functions.reporting.reports.mass_appraisal_report import MassAppraisalParameters, appraisal_report
from functions.reporting.reports.report_type import Report
from tests.unit.reporting.example_study import (
    STUDY_ID,
    heading,
    placed_parcels,
    results,
    studied_sales,
    with_figures,
)
from tests.unit.reporting.example_valuations import model_results, run_summary

MANDATORY = (
    *("client", "intended_users", "intended_use", "definition_of_value", "properties_and_rights", "scope_of_work"),
    *("data_collection", "model_specification", "calibration", "value_review", "reconciliation"),
)


def statements(text: str = "As the law of the state says.") -> dict[str, Any]:
    """Everything that only people can state."""
    certification = {"statements": [text, text], "signed_by": text[:200], "title": text[:200]}
    return {
        **dict.fromkeys(MANDATORY, text),
        "limiting_conditions": [text],
        "certification": certification,
        "extraordinary_assumptions": [text],
    }


def mass_appraisal_of(name: str) -> Report:
    """The report of a county whose level has risen."""
    study = results_model(with_figures(results()))
    figures = AppraisalFigures(
        run=run_summary(name),
        area_values=run_summary(name).overall,
        models=(model_results(name),),
        importances=(
            Importance(feature=name, mean_contribution=Decimal("41250.50"), properties=898),
            Importance(feature="living_area_sqft", mean_contribution=Decimal(22_000), properties=898),
        ),
        before=study,
        after=study,
        before_sample=study.overall,
        after_sample=study.overall,
        sales=studied_sales(name, 60),
    )
    parameters = MassAppraisalParameters.model_validate(
        {
            "valuation_run_id": STUDY_ID,
            "ratio_study_before_id": STUDY_ID,
            "ratio_study_after_id": STUDY_ID,
            "statements": statements(name if name.strip() else "x"),
        }
    )
    return appraisal_report(heading(), parameters, figures, placed_parcels(name, "N1", "N2"))
