"""Evidence packets, of a value and a ratio study that their modules have stored."""

import json
from typing import Any
from uuid import uuid4

import pytest

from functions.valuation.repository import valuations
from shared.db import unit_of_work
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.integration.reporting.reports import made, request
from tests.integration.reporting.test_study_reports import api_results, study
from tests.job_cloud import job_cloud
from tests.unit.reporting.example_packet import valuation

__all__ = ["job_cloud"]

PROPERTY = "P0100"
SENT = {"property_id": PROPERTY, "reference": "2026-0117", "hearing_date": "2026-09-14"}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    add_evidence()


def add_valuation(**values: Any) -> None:
    with unit_of_work(COUNTY) as connection:
        value = valuation().model_copy(update={"property_id": PROPERTY, **values})
        valuations.add(connection, COUNTY, value, "digest")


def faults(parameters: dict[str, Any]) -> tuple[int, list[str]]:
    answer = request("evidence_packet", "pdf", parameters)
    return answer.status, [error["pointer"] for error in answer.body.get("errors", [])]


def test_a_packet_holds_the_stored_value_and_the_stored_study() -> None:
    add_valuation()
    study_id = study()
    packet = json.loads(made("evidence_packet", "json", SENT))
    assert packet["valuation"]["estimate"] == "361250.75"
    assert packet["ratio_study"] == api_results(study_id)
    assert packet["property"]["identity"]["property_id"] == PROPERTY
    page = made("evidence_packet", "html", SENT).decode()
    for text in ("2026-0117", "September 14, 2026", "Comparable 5", "+$80,000", "The property and its comparables"):
        assert text in page, text
    assert made("evidence_packet", "pdf", SENT).startswith(b"%PDF")


def test_only_what_the_chosen_elements_need_is_required() -> None:
    assert made("evidence_packet", "pdf", {**SENT, "elements": ["history", "record_card"]}).startswith(b"%PDF")
    assert faults(SENT) == (422, ["/body/parameters/valuation_id"])
    assert faults({**SENT, "elements": ["ratio_study"]}) == (422, ["/body/parameters/ratio_study_id"])
    add_valuation()
    assert faults({**SENT, "elements": ["comparables"]}) == (202, [])


def test_what_is_not_of_the_property_is_refused_with_its_place() -> None:
    add_valuation(property_id="P0101")
    other = str(valuation().valuation_id)
    assert faults({**SENT, "valuation_id": other}) == (422, ["/body/parameters/valuation_id"])
    assert faults({**SENT, "property_id": "NONE"}) == (422, ["/body/parameters/property_id"])
    study_id = str(uuid4())
    assert faults({**SENT, "elements": ["ratio_study"], "ratio_study_id": study_id}) == (
        422,
        ["/body/parameters/ratio_study_id"],
    )
    assert faults({**SENT, "elements": ["history", "history"]}) == (422, ["/body/parameters/elements"])
