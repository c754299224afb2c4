"""Mass appraisal reports, of a run, a model and studies that are stored, and of what people state."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from shared.contracts.valuation_run import GroupChange
from shared.db import unit_of_work
from shared.db.models import ValuationRun, ValuationRunResult
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence
from tests.integration.reporting.reports import made, request
from tests.integration.reporting.test_county_reports import add_results
from tests.integration.reporting.test_study_reports import study
from tests.job_cloud import job_cloud
from tests.unit.reporting.example_appraisal import MANDATORY, statements
from tests.unit.reporting.example_study import STUDY_ID
from tests.unit.reporting.example_valuations import model_results, run_summary

__all__ = ["job_cloud"]

RUN = UUID("00000000-0000-4000-8000-00000000000c")
AREA = str(SYNTHETIC.sales.characteristics.neighborhood[0])


@pytest.fixture
def sent(database: MigratedDatabase, job_cloud: None) -> dict[str, Any]:
    """The parameters of a report: a run that values each parcel at its true value, and studies before and after."""
    add_county()
    add_evidence()
    run = run_summary()
    area = GroupChange(**{**run.by_neighborhood[0].model_dump(), "group": AREA})
    add_results("valuation_run", RUN, run.model_copy(update={"by_neighborhood": (area,)}))
    add_results("valuation_model", STUDY_ID, model_results())
    own = {"county_id": COUNTY, "run_id": RUN}
    values = [
        {
            **own,
            "property_id": f"P{number:04}",
            "partition_no": 0,
            "neighborhood": str(SYNTHETIC.sales.characteristics.neighborhood[number]),
            "estimate": Decimal(str(round(float(truth), 2))),
            "review": False,
            "flags": [],
            "contributions": {"base": "100000.00", "living_area_sqft": str(-1000 * (number % 3)), "age": "50.00"},
        }
        for number, truth in enumerate(SYNTHETIC.truth)
    ]
    with unit_of_work(COUNTY) as connection:
        planned = {"valuation_date": run.valuation_date, "models": [], "data_version": "v1", "properties": len(values)}
        connection.execute(insert(ValuationRun).values(**own, **planned))
        connection.execute(insert(ValuationRunResult), values)
    of_the_run: dict[str, Any] = {
        "value_source": "valuation_run",
        "valuation_run_id": str(RUN),
        "time_adjust_prices": False,
    }
    return {
        "valuation_run_id": str(RUN),
        "ratio_study_before_id": study(),
        "ratio_study_after_id": study(**of_the_run),
        "statements": statements(),
    }


def faults(parameters: dict[str, Any]) -> tuple[int, list[str]]:
    answer = request("mass_appraisal_report", "pdf", parameters)
    return answer.status, [error["pointer"] for error in answer.body.get("errors", [])]


def test_a_report_holds_what_is_stated_and_what_is_stored(sent: dict[str, Any]) -> None:
    document = json.loads(made("mass_appraisal_report", "json", sent))
    figures = document["figures"]
    assert document["parameters"]["statements"]["client"] == "As the law of the state says."
    assert figures["importances"] == [
        {"feature": "living_area_sqft", "mean_contribution": "998.00", "properties": 500},
        {"feature": "age", "mean_contribution": "50.00", "properties": 500},
    ]
    assert figures["after"]["valuation_run_id"] == str(RUN)
    assert len(figures["sales"]["left_out"]) > 0
    page = made("mass_appraisal_report", "html", sent).decode()
    for item in ("Client", "Intended use", "Certification", "Sales left out", "Ratio studies before and after"):
        assert f">{item}</h" in page, item
    assert made("mass_appraisal_report", "pdf", sent).startswith(b"%PDF")


def test_a_report_of_an_area_has_the_areas_sales_and_statistics(sent: dict[str, Any]) -> None:
    document = json.loads(made("mass_appraisal_report", "json", {**sent, "area": {"neighborhood": AREA}}))
    figures = document["figures"]
    (stratum,) = (
        each for each in figures["after"]["strata"] if (each["stratum"], each["value"]) == ("neighborhood", AREA)
    )
    assert figures["after_sample"] == stratum["study"]
    assert figures["area_values"]["properties"] == 300


def test_a_missing_or_blank_mandatory_item_is_named(sent: dict[str, Any]) -> None:
    for item in (*MANDATORY, "limiting_conditions", "certification"):
        without = {name: value for name, value in sent["statements"].items() if name != item}
        assert faults({**sent, "statements": without}) == (422, [f"/body/parameters/statements/{item}"])
    blank = {**sent["statements"], "client": "  "}
    assert faults({**sent, "statements": blank}) == (422, ["/body/parameters/statements/client"])


def test_what_does_not_belong_together_is_refused_with_its_place(sent: dict[str, Any]) -> None:
    other = {**sent, "ratio_study_after_id": sent["ratio_study_before_id"]}
    assert faults(other) == (422, ["/body/parameters/ratio_study_after_id"])
    assert faults({**sent, "area": {"neighborhood": "NOWHERE"}}) == (422, ["/body/parameters/area"])
    assert faults({**sent, "area": {"property_class": "residential", "neighborhood": AREA}}) == (
        422,
        ["/body/parameters/area"],
    )
