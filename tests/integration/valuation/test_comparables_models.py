"""Values without a champion in a county of many sales: nothing is fitted within a request, and nothing for an edit."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from functions.properties.handler import handler as properties
from functions.valuation.handler import handler
from functions.valuation.service import artifacts
from functions.valuation.service import comparables_models as models
from functions.valuation.tasks.training import handler as task
from shared import storage
from shared.db import unit_of_work
from shared.db.models import Job, ValuationComparablesModel
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county, add_evidence, add_parcel, add_sale
from tests.job_cloud import job_cloud, run_task

__all__ = ["job_cloud"]

API = "/v1/counties/{county_id}"
ON = "2023-10-01"
RENEWED = "sales_changed_since_fit"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A county whose 500 sales count as many."""
    monkeypatch.setattr(models, "MAX_SALES_IN_REQUEST", 100)
    models.clear_caches()
    add_county()
    add_evidence()


def value(property_id: str = "P0042", **options: Any) -> Answer:
    body = {"property_id": property_id, "valuation_date": options.pop("on", ON)}
    return call(handler, "POST", f"{API}/valuations", path={"county_id": COUNTY}, body=body, **options)


def fitted(answer: Answer) -> None:
    """Run the job that a 202 names, as the jobs machine does."""
    assert answer.status == 202, answer.body
    assert run_task(task, COUNTY, "comparables_model", answer.body["id"])["status"] in ("succeeded", "failed")


def looked_at(answer: Answer, part: str = "") -> Answer:
    path = {"county_id": COUNTY, "model_id": answer.body["id"]}
    return call(handler, "GET", f"{API}/comparables-models/{{model_id}}{part}", path=path)


def number_of_jobs() -> int:
    with unit_of_work(COUNTY) as connection:
        return len(connection.execute(select(Job.job_id)).all())


def edit_parcel(property_id: str) -> None:
    path = {"county_id": COUNTY, "property_id": property_id}
    answer = call(
        properties,
        "PATCH",
        f"{API}/properties/{{property_id}}",
        path=path,
        body={"bedrooms": "7"},
        headers={"If-Match": "*"},
    )
    assert answer.status == 200, answer.body


def refuse_to_fit(*_: Any) -> None:
    raise AssertionError("a request has fitted a model")


def test_the_first_value_asks_for_a_model_and_the_same_request_has_the_value_once_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = value(headers={"Idempotency-Key": "one"})
    assert first.status == 202
    assert first.headers["location"] == f"/v1/counties/{COUNTY}/comparables-models/{first.body['id']}"
    somebody = value("P0007", claims=claims_of(username="somebody-else"))
    assert (somebody.status, somebody.body["id"]) == (202, first.body["id"])

    fitted(first)
    monkeypatch.setattr(models, "_fit", refuse_to_fit)

    again = value(headers={"Idempotency-Key": "one"})
    assert (again.status, again.body["method"]) == (201, "comparable_sales")
    assert looked_at(first).body["status"] == "succeeded"
    known = looked_at(first, "/results").body
    assert (known["property_class"], known["sales_used"]) == ("residential", again.body["sales_used"])
    models.clear_caches()  # as a restart does
    assert value().body["estimate"] == again.body["estimate"]


def test_a_stored_model_values_as_one_fitted_in_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted(value())
    kept = value().body
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("DELETE FROM valuation_comparables_models"))
    monkeypatch.setattr(models, "MAX_SALES_IN_REQUEST", 1000)
    here = value().body
    told = (
        "estimate",
        "interval",
        "confidence",
        "contributions",
        "comparables",
        "sales_used",
        "sales_excluded",
        "land",
    )
    assert {name: kept[name] for name in told} == {name: here[name] for name in told}


def test_an_edit_of_a_parcel_fits_nothing_and_a_new_sale_fits_once_while_values_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted(value())
    with monkeypatch.context() as patch:
        patch.setattr(models, "_fit", refuse_to_fit)
        before = value().body
        for number in range(3):
            edit_parcel(f"P{number:04}")
            assert value().body["estimate"] == before["estimate"]
        assert number_of_jobs() == 1
        add_sale(sale_id="NEW", property_id="P0042", sale_date=date(2023, 9, 1), sale_price=Decimal(2_000_000))
        meanwhile = [value() for _ in range(3)]
    assert {answer.status for answer in meanwhile} == {201}
    assert all(RENEWED in {flag["code"] for flag in answer.body["flags"]} for answer in meanwhile)
    assert number_of_jobs() == 2

    with unit_of_work(COUNTY) as connection:
        newest = connection.scalars(select(Job.job_id).order_by(Job.created_at.desc())).first()
    assert run_task(task, COUNTY, "comparables_model", str(newest)) == {"status": "succeeded"}
    after = value().body
    assert RENEWED not in {flag["code"] for flag in after["flags"]}
    assert after["estimate"] != before["estimate"]
    assert (after["sales_used"], number_of_jobs()) == (before["sales_used"] + 1, 2)


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_model_whose_object_is_lost_is_fitted_again(damage: str) -> None:
    first = value()
    fitted(first)
    with unit_of_work(COUNTY) as connection:
        key = connection.scalars(select(ValuationComparablesModel.artifact_key)).one()
        connection.execute(text("UPDATE jobs SET finished_at = now() - interval '1 hour'"))
    if damage == "gone":
        storage.delete_below(key)
    else:
        storage.put(key, b"something else")
    artifacts.clear_cache()
    second = value()
    assert (second.status, second.body["id"] != first.body["id"]) == (202, True)
    fitted(second)
    assert value().status == 201


def test_sales_that_allow_no_model_are_refused_with_the_reason_and_read_again_later() -> None:
    add_parcel(property_id="SHOP", property_class="commercial")
    fitted(value("SHOP"))
    refused = value("SHOP")
    assert (refused.status, refused.body["type"]) == (422, "urn:terrafusion:problem:too-few-sales")
    assert "there are 0" in refused.body["detail"]
    assert refused.body["errors"][0]["pointer"] == "/body/valuation_date"
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE jobs SET finished_at = now() - interval '1 hour'"))
    assert value("SHOP").status == 202


def test_a_slower_job_of_older_sales_takes_no_newer_models_place() -> None:
    older = value()
    add_sale(sale_id="NEW", property_id="P0042", sale_date=date(2023, 9, 1), sale_price=Decimal(2_000_000))
    newer = value()
    fitted(newer)
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE valuation_comparables_models SET read_at = :later"),
            {"later": datetime(2100, 1, 1, tzinfo=UTC)},
        )
    fitted(older)
    with unit_of_work(COUNTY) as connection:
        stands = connection.scalars(select(ValuationComparablesModel.model_id)).all()
    assert stands == [UUID(newer.body["id"])]
    assert value().status == 201
