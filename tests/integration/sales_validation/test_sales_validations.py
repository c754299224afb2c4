"""Sales validation as a job, and what a person decides of what it flags."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from functions.properties.handler import handler as properties
from functions.sales_validation.handler import handler
from functions.sales_validation.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from shared.evidence import evidence_version, excluded_sales, read_evidence
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence, add_sale
from tests.job_cloud import job_cloud, run_task

__all__ = ["job_cloud"]

ALL = "/v1/counties/{county_id}/sales-validations"
FLAGS = "/v1/counties/{county_id}/sales-flags"
SALE = FLAGS + "/{sale_id}"
OUTLIER = "S0100"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    """500 ordinary sales and one at forty times its value; sale 0 twice, and resold soon after."""
    add_county()
    add_evidence()
    set_price(OUTLIER, 40 * float(SYNTHETIC.sales.sale_price[100]))
    price = Decimal(str(round(float(SYNTHETIC.sales.sale_price[0]), 2)))
    sold = date.fromordinal(int(SYNTHETIC.sales.sale_day[0]))
    add_sale(sale_id="S0000-AGAIN")
    add_sale(sale_id="S0000-RESALE", sale_date=sold + timedelta(days=90), sale_price=price * 2)


@pytest.fixture
def few_sales(county: None) -> None:
    """The same with the first 40 sales and the odd one: too few for a model, so that only the rules are at work."""
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("DELETE FROM sales WHERE sale_id > 'S0040' AND sale_id < 'S0500' AND sale_id <> :kept"),
            {"kept": OUTLIER},
        )


def set_price(sale_id: str, price: float) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE sales SET sale_price = :price, row_hash = :hash WHERE sale_id = :sale_id"),
            {"price": Decimal(str(round(price, 2))), "hash": str(price), "sale_id": sale_id},
        )


def validated(body: dict[str, Any] | None = None) -> dict[str, Any]:
    submitted = call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body or {})
    assert submitted.status == 202
    job_id = submitted.body["id"]
    run_task(task, COUNTY, "sales_validation", job_id)
    path = {"county_id": COUNTY, "validation_id": job_id}
    results = call(handler, "GET", ALL + "/{validation_id}/results", path=path)
    assert results.status == 200, call(handler, "GET", ALL + "/{validation_id}", path=path).body
    found: dict[str, Any] = results.body
    return found


def flagged(**query: str) -> dict[str, dict[str, Any]]:
    answer = call(handler, "GET", FLAGS, path={"county_id": COUNTY}, query=query)
    assert answer.status == 200
    return {sale["sale_id"]: sale for sale in answer.body["items"]}


def sale(sale_id: str) -> Answer:
    return call(handler, "GET", SALE, path={"county_id": COUNTY, "sale_id": sale_id})


def decide(sale_id: str, decision: str, note: str = "seen the deed", **options: Any) -> Answer:
    body = {"decision": decision, "note": note}
    return call(
        handler, "POST", SALE + "/decisions", path={"county_id": COUNTY, "sale_id": sale_id}, body=body, **options
    )


def evidence() -> tuple[set[str], dict[str, int]]:
    with unit_of_work(COUNTY) as connection:
        return set(read_evidence(connection, COUNTY).sale_ids), excluded_sales(connection, COUNTY)


def test_a_validation_flags_what_was_planted_with_its_reason() -> None:
    results = validated()
    assert results["sales"] == 506
    assert results["tested_against_model"] == 502
    assert results["flags"]["duplicate"] == 1
    assert results["flags"]["not_arms_length"] == 1
    assert results["new_flags"] == sum(results["flags"].values())
    sales = flagged()
    assert results["flagged_sales"] == len(sales)
    assert [flag["rule"] for flag in sales[OUTLIER]["flags"]] == ["implausible_price", "model_outlier"]
    assert "robust deviations away" in sales[OUTLIER]["flags"][1]["reason"]
    assert {flag["rule"] for flag in sales["S0000-RESALE"]["flags"]} >= {"flip"}
    assert {flag["rule"] for flag in sales["S0000"]["flags"]} == {"flip"}
    assert set(flagged(rule="duplicate")) == {"S0000-AGAIN"}
    clean = 500 - len([name for name in sales if name.startswith("S") and len(name) == 5])
    assert clean >= 495  # noise of 8 % makes next to no outlier


def test_a_validation_that_runs_twice_changes_nothing_and_one_on_new_facts_keeps_the_history(few_sales: None) -> None:
    first = validated()
    again = validated()
    assert (again["new_flags"], again["cleared_flags"]) == (0, 0)
    assert again["flags"] == first["flags"]
    set_price(OUTLIER, float(SYNTHETIC.sales.sale_price[100]))
    assert validated()["cleared_flags"] >= 1
    review = sale(OUTLIER).body
    assert (review["flags"], [flag["rule"] for flag in review["cleared_flags"]]) == ([], ["implausible_price"])
    assert OUTLIER not in flagged()


def test_flags_alone_exclude_nothing_and_a_decision_goes_before_the_code_both_ways(few_sales: None) -> None:
    validated()
    assert OUTLIER in evidence()[0]
    made = decide(OUTLIER, "invalid", "  price of two parcels  ")
    assert made.status == 201
    assert made.body["note"] == "price of two parcels"
    assert made.body["rules"] == ["implausible_price"]
    assert made.headers["location"] == f"/v1/counties/{COUNTY}/sales-flags/{OUTLIER}"
    used, excluded = evidence()
    assert OUTLIER not in used
    assert excluded["invalid_by_decision"] == 1
    assert decide("X3", "valid").body["validity_code"] == "unverified"
    used, excluded = evidence()
    assert "X3" in used
    assert "unverified" not in excluded
    assert sale("X3").body["used_as_evidence"] is True
    assert decide("X3", "as_coded").status == 201
    assert "X3" not in evidence()[0]


def test_decisions_follow_one_another_and_all_of_them_are_kept() -> None:
    with unit_of_work(COUNTY) as connection:
        version = evidence_version(connection, COUNTY)
    decide(OUTLIER, "invalid", "first")
    decide(OUTLIER, "valid", "second", claims=claims_of(Role.ASSESSOR, username="assessor"))
    review = sale(OUTLIER).body
    assert review["decision"]["note"] == "second"
    assert [(d["decision"], d["note"], d["superseded_at"] is None) for d in review["decisions"]] == [
        ("valid", "second", True),
        ("invalid", "first", False),
    ]
    with unit_of_work(COUNTY) as connection:
        events = connection.execute(text("SELECT actor, old FROM audit_events ORDER BY event_id")).all()
        assert evidence_version(connection, COUNTY) != version
    assert [(e.actor, e.old["decision"]) for e in events] == [("somebody", None), ("assessor", "invalid")]


def test_a_propertys_sales_say_what_was_decided() -> None:
    def decisions() -> dict[str, str | None]:
        path = {"county_id": COUNTY, "property_id": "P0100"}
        answer = call(properties, "GET", "/v1/counties/{county_id}/properties/{property_id}/sales", path=path)
        return {listed["sale_id"]: listed["decision"] for listed in answer.body}

    assert decisions() == {OUTLIER: None}
    decide(OUTLIER, "valid")
    decide(OUTLIER, "invalid")
    assert decisions() == {OUTLIER: "invalid"}
    decide(OUTLIER, "as_coded")
    assert decisions() == {OUTLIER: None}


def test_the_same_key_decides_once_and_another_request_with_it_is_refused() -> None:
    key = {"Idempotency-Key": "k"}
    first = decide(OUTLIER, "invalid", headers=key)
    decide(OUTLIER, "valid")
    assert decide(OUTLIER, "invalid", headers=key).body["decision_id"] == first.body["decision_id"]
    assert sale(OUTLIER).body["decision"]["decision"] == "valid"
    assert decide(OUTLIER, "valid", headers=key).body["type"].endswith("idempotency-key-reused")
    assert decide("S0001", "invalid", headers=key).status == 422


def decide_several(sale_ids: list[str], **options: Any) -> Answer:
    body = {"sale_ids": sale_ids, "decision": "invalid", "note": "one deed"}
    path = {"county_id": COUNTY}
    return call(handler, "POST", "/v1/counties/{county_id}/sales-decisions", path=path, body=body, **options)


def test_several_sales_are_decided_on_together_or_not_at_all() -> None:
    decide("S0002", "valid")
    made = decide_several(["S0003", "S0001", "S0002"])
    assert made.status == 201
    assert [decision["sale_id"] for decision in made.body] == ["S0001", "S0002", "S0003"]
    assert not {"S0001", "S0002", "S0003"} & evidence()[0]
    assert [decision["decision"] for decision in sale("S0002").body["decisions"]] == ["invalid", "valid"]
    with unit_of_work(COUNTY) as connection:
        subjects = connection.scalars(text("SELECT subject FROM audit_events ORDER BY event_id")).all()
    assert subjects == ["sales/S0002", "sales/S0001", "sales/S0002", "sales/S0003"]
    refused = decide_several(["S0004", "NONE", "GONE"])
    assert refused.status == 422
    assert [error["pointer"] for error in refused.body["errors"]] == ["/body/sale_ids/1", "/body/sale_ids/2"]
    assert sale("S0004").body["decision"] is None
    assert decide_several(["S0004", "S0004"]).status == 422
    assert decide_several([]).status == 422
    assert decide_several(["S0004"], claims=claims_of(Role.VALUATION_STAFF)).status == 403


def test_several_decisions_with_the_same_key_are_made_once() -> None:
    key = {"Idempotency-Key": "k"}
    first = decide_several(["S0001", "S0002"], headers=key)
    decide("S0001", "valid")
    assert decide_several(["S0001", "S0002"], headers=key).body[1] == first.body[1]
    assert sale("S0001").body["decision"]["decision"] == "valid"
    for others in (["S0003"], ["S0002", "S0003"], ["S0001"]):
        assert decide_several(others, headers=key).body["type"].endswith("idempotency-key-reused")


def test_a_record_that_changes_after_the_decision_comes_up_again(few_sales: None) -> None:
    decide(OUTLIER, "valid")
    validated()
    assert "changed_since_decision" not in [flag["rule"] for flag in flagged(decided="true")[OUTLIER]["flags"]]
    set_price(OUTLIER, 50 * float(SYNTHETIC.sales.sale_price[100]))
    validated()
    assert "changed_since_decision" in [flag["rule"] for flag in flagged(decided="true")[OUTLIER]["flags"]]
    assert OUTLIER not in flagged(decided="false")


def test_flagged_sales_come_in_pages_that_join_to_the_whole(few_sales: None) -> None:
    validated()
    whole, token, paged = list(flagged()), None, []
    while True:
        query = {"page_size": "3", **({"page_token": token} if token else {})}
        page = call(handler, "GET", FLAGS, path={"county_id": COUNTY}, query=query).body
        paged += [item["sale_id"] for item in page["items"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert paged == whole
    assert set(flagged(property_id="P0000")) == {name for name in whole if name in ("S0000", "X0") or "S0000-" in name}


def test_thresholds_come_from_the_request_then_from_the_county(few_sales: None) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE counties SET configuration = CAST(:c AS jsonb)"),
            {"c": '{"plugin_settings": {"sales_validation": {"flip_change": 3.0}}}'},
        )
    assert "flip" not in validated()["flags"]
    assert validated({"flip_change": 0.25})["flags"]["flip"] == 2


def test_a_county_with_few_sales_is_validated_by_rules_alone_and_says_so(few_sales: None) -> None:
    results = validated()
    assert results["tested_against_model"] == 0
    assert "needs at least 50 sales" in results["notes"][0]
    assert results["flags"]["duplicate"] == 1


def test_equal_prices_make_no_outliers() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE sales SET sale_price = 300000 WHERE validity_code = 'valid'"))
    results = validated()
    assert results["tested_against_model"] == 0
    assert "model_outlier" not in results["flags"]
    assert "all 502 sales have the same price" in results["notes"][0]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"outlier_deviations": 0}, "/body/outlier_deviations"),
        ({"flip_months": 0}, "/body/flip_months"),
        ({"nominal_price": -1}, "/body/nominal_price"),
        ({"colour": 1}, "/body/colour"),
    ],
)
def test_what_cannot_be_validated_is_refused_with_the_place(body: dict[str, Any], pointer: str) -> None:
    answer = call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body)
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_only_the_assessor_decides_and_a_decision_needs_a_note_and_a_sale() -> None:
    assert decide(OUTLIER, "invalid", claims=claims_of(Role.VALUATION_STAFF)).status == 403
    assert decide(OUTLIER, "invalid", " ").status == 422
    assert decide(OUTLIER, "perhaps").status == 422
    assert decide("NONE", "valid").status == 404
    assert decide("GONE", "valid").status == 404
    assert sale("NONE").status == 404
    assert call(handler, "GET", FLAGS, path={"county_id": COUNTY}, query={"rule": "x"}).status == 422


def test_another_county_sees_neither_flags_nor_decisions(few_sales: None) -> None:
    validated()
    decide(OUTLIER, "invalid")
    with unit_of_work("lucas_oh") as connection:
        for table in ("sale_flags", "sale_decisions"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
