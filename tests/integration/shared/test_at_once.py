"""The same request with the same Idempotency-Key, sent at once: everybody gets the same answer, and it is done once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from sqlalchemy import text

from functions.ratio_study.handler import handler as ratio_study
from functions.reporting.handler import handler as reporting
from functions.sales_validation.handler import handler as sales
from functions.valuation.handler import handler as valuation
from functions.valuation.service import comparables_models
from shared.db import unit_of_work
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, Handler, call
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]

THREADS = 10
ROLL = {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2025}}
VALUED = {"property_id": "P0042", "valuation_date": "2023-10-01"}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    comparables_models.clear_caches()
    add_county()
    add_evidence()


def at_once(handler: Handler, resource: str, body: dict[str, Any], **path: str) -> list[Answer]:
    def sent(_: int) -> Answer:
        headers = {"Idempotency-Key": "one"}
        return call(handler, "POST", resource, path={"county_id": COUNTY, **path}, body=body, headers=headers)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(sent, range(THREADS)))


def count(table: str) -> int:
    with unit_of_work(COUNTY) as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def executions() -> int:
    machine = settings().jobs_state_machine_arn
    return len(boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])


@pytest.mark.parametrize(
    ("handler", "collection", "body"),
    [
        (ratio_study, "ratio-studies", {"value_source": "assessed", "from": "2022-01-01", "to": "2023-12-31"}),
        (valuation, "valuation-models", {"valuation_date": "2023-10-01"}),
        (reporting, "reports", ROLL),
    ],
    ids=["ratio study", "valuation model", "report"],
)
def test_a_job_is_made_and_started_once(handler: Handler, collection: str, body: dict[str, Any]) -> None:
    answers = at_once(handler, f"/v1/counties/{{county_id}}/{collection}", body)
    assert {answer.status for answer in answers} == {202}
    assert all(answer.headers["location"] == answers[0].headers["location"] for answer in answers)
    assert all(answer.body == answers[0].body for answer in answers)
    assert (count("jobs"), executions()) == (1, 1)


def test_a_decision_is_made_once() -> None:
    resource = "/v1/counties/{county_id}/sales-flags/{sale_id}/decisions"
    answers = at_once(sales, resource, {"decision": "invalid", "note": "of two parcels"}, sale_id="S0007")
    assert {answer.status for answer in answers} == {201}
    assert all(answer.body == answers[0].body for answer in answers)
    assert (count("sale_decisions"), count("audit_events")) == (1, 1)


def test_a_value_is_given_out_once() -> None:
    resource = "/v1/counties/{county_id}/valuations"
    call(valuation, "POST", resource, path={"county_id": COUNTY}, body={**VALUED, "property_id": "P0043"})  # fits
    answers = at_once(valuation, resource, VALUED)
    assert {answer.status for answer in answers} == {201}
    assert all(answer.body == answers[0].body for answer in answers)
    assert (count("valuations"), count("audit_events")) == (2, 2)


def test_the_model_that_a_value_needs_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparables_models, "MAX_SALES_IN_REQUEST", 100)
    answers = at_once(valuation, "/v1/counties/{county_id}/valuations", VALUED)
    assert {(answer.status, answer.body["kind"]) for answer in answers} == {(202, "comparables_model")}
    assert all(answer.body == answers[0].body for answer in answers)
    assert (count("jobs"), executions(), count("valuations")) == (1, 1, 0)
