"""The request for a report: its types, their parameters, and its faults."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.reporting.reports.request import ReportRequest

STUDY = "00000000-0000-4000-8000-000000000000"


def faults(document: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        ReportRequest.model_validate(document)
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


def test_each_type_has_its_own_parameters() -> None:
    roll = ReportRequest.model_validate(
        {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2025}}
    )
    study = ReportRequest.model_validate(
        {"report_type": "sales_ratio_study", "format": "pdf", "parameters": {"ratio_study_id": STUDY}}
    )
    assert roll.model_dump(mode="json")["parameters"] == {
        "roll_year": 2025,
        "groups": ["property_class", "neighborhood"],
    }
    assert study.model_dump(mode="json")["parameters"] == {"ratio_study_id": STUDY}


def test_a_request_survives_the_way_through_the_jobs_table() -> None:
    request = ReportRequest.model_validate(
        {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2025}}
    )
    assert ReportRequest.model_validate(request.model_dump(mode="json")) == request


@pytest.mark.parametrize(
    ("report_type", "parameters", "place", "kind"),
    [
        ("assessment_roll_summary", {}, ("roll_year",), "missing"),
        ("assessment_roll_summary", {"roll_year": "soon"}, ("roll_year",), "int_type"),
        ("assessment_roll_summary", {"roll_year": 3}, ("roll_year",), "greater_than_equal"),
        ("assessment_roll_summary", {"roll_year": 2025, "year": 1}, ("year",), "extra_forbidden"),
        ("assessment_roll_summary", {"roll_year": 2025, "groups": []}, ("groups",), "too_short"),
        ("assessment_roll_summary", {"roll_year": 2025, "groups": ["city"]}, ("groups", 0), "literal_error"),
        (
            "assessment_roll_summary",
            {"roll_year": 2025, "groups": ["neighborhood", "neighborhood"]},
            ("groups",),
            "value_error",
        ),
        (
            "assessment_roll_summary",
            {"ratio_study_id": STUDY, "roll_year": 2025},
            ("ratio_study_id",),
            "extra_forbidden",
        ),
        ("sales_ratio_study", {"ratio_study_id": "7"}, ("ratio_study_id",), "uuid_parsing"),
        ("sales_ratio_study", {"ratio_study_id": STUDY, "trim": True}, ("trim",), "extra_forbidden"),
        ("sales_ratio_study", None, (), "model_type"),
    ],
)
def test_a_fault_is_where_it_is(report_type: str, parameters: object, place: tuple[str | int, ...], kind: str) -> None:
    document = {"report_type": report_type, "format": "pdf", "parameters": parameters}
    assert faults(document) == [(("parameters", *place), kind)]


def test_a_type_that_needs_no_parameters_is_asked_for_without() -> None:
    request = ReportRequest.model_validate({"report_type": "data_quality", "format": "pdf"})
    assert request.model_dump(mode="json")["parameters"] == {"problems": ["missing", "impossible", "duplicate"]}
    document = {"report_type": "assessment_roll_summary", "format": "pdf"}
    assert faults(document) == [(("parameters", "roll_year"), "missing")]


def test_an_unknown_type_is_the_only_fault() -> None:
    document = {"report_type": "poem", "format": "pdf", "parameters": {"anything": 1}}
    assert faults(document) == [(("report_type",), "literal_error")]


def test_an_unknown_format_and_an_unknown_field_are_faults() -> None:
    document = {
        "report_type": "assessment_roll_summary",
        "format": "docx",
        "parameters": {"roll_year": 2025},
        "colour": "red",
    }
    assert faults(document) == [(("format",), "literal_error"), (("colour",), "extra_forbidden")]
