"""Values by comparable sales, through the handler and on PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from functions.valuation.handler import handler
from functions.valuation.service import comparables_models as models
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import AuditEvent, Valuation
from shared.evidence import evidence_version, excluded_sales, read_evidence
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import (
    COUNTY,
    NO_EVIDENCE,
    SYNTHETIC,
    add_county,
    add_evidence,
    add_parcel,
    add_sale,
)

ALL = "/v1/counties/{county_id}/valuations"
ON = "2023-10-01"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase) -> None:
    models.clear_caches()
    add_county()
    add_evidence()


def value(property_id: str = "P0042", on: str = ON, county_id: str = COUNTY, **options: Any) -> Answer:
    body = {"property_id": property_id, "valuation_date": on}
    return call(handler, "POST", ALL, path={"county_id": county_id}, body=body, **options)


def test_a_value_comes_with_its_interval_and_comparables_that_add_up() -> None:
    answer = value()
    assert answer.status == 201, answer.body
    body = answer.body
    assert answer.headers["location"] == f"/v1/counties/{COUNTY}/valuations/{body['valuation_id']}"
    truth = float(SYNTHETIC.truth[42])
    assert float(body["estimate"]) == pytest.approx(truth, rel=0.35)
    assert Decimal(body["interval"]["low"]) < Decimal(body["estimate"]) < Decimal(body["interval"]["high"])
    assert (body["method"], body["interval"]["coverage"], body["valuation_date"]) == ("comparable_sales", 0.8, ON)
    assert 0 <= body["confidence"] <= 1
    assert sum(comparable["weight"] for comparable in body["comparables"]) == pytest.approx(1, abs=1e-4)
    for comparable in body["comparables"]:
        steps = [Decimal(step["amount"]) for step in comparable["adjustments"]]
        assert Decimal(comparable["sale_price"]) + sum(steps) == Decimal(comparable["adjusted_price"])
        assert comparable["sale_date"] < ON
        assert comparable["address"].endswith(",\nRear")
    names = [step["name"] for step in body["comparables"][0]["adjustments"]]
    assert (names[0], names[-1]) == ("time", "location")
    assert {"living_area", "quality", "bathrooms", "view"} <= set(names)


def test_opinions_of_value_in_the_attributes_are_not_learned_from() -> None:
    with unit_of_work(COUNTY) as connection:
        kinds = read_evidence(connection, COUNTY).kinds
    assert (kinds.numeric, kinds.categorical) == (("view",), ("heating",))


def test_every_sale_is_either_used_or_excluded_with_its_reason() -> None:
    body = value().body
    excluded = body["sales_excluded"]
    assert {code: excluded[code] for code in NO_EVIDENCE} == dict.fromkeys(NO_EVIDENCE, 1)
    assert body["sales_used"] + excluded["on_or_after_valuation_date"] == 500
    day = date.fromisoformat(ON).toordinal()
    assert excluded["on_or_after_valuation_date"] == int((SYNTHETIC.sales.sale_day >= day).sum())


def test_a_value_is_stored_as_it_was_answered_and_audited() -> None:
    made = value(claims=claims_of(Role.VALUATION_STAFF, username="vera")).body
    add_sale(sale_id="LATER", sale_price=Decimal(900_000))
    one = {"county_id": COUNTY, "valuation_id": made["valuation_id"]}
    assert call(handler, "GET", ALL + "/{valuation_id}", path=one, claims=claims_of(Role.AUDITOR)).body == made
    with unit_of_work(COUNTY) as connection:
        row = connection.execute(select(Valuation.estimate, Valuation.created_by)).one()
        event = connection.execute(select(AuditEvent.action, AuditEvent.subject)).one()
    assert (row.estimate, row.created_by) == (Decimal(made["estimate"]), "vera")
    assert (event.action, event.subject) == ("valuation.made", f"valuations/{made['valuation_id']}")


def test_the_same_idempotency_key_answers_with_the_same_valuation() -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = value(headers=headers), value(headers=headers)
    other = value("P0043", headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert (other.status, other.body["type"]) == (422, "urn:terrafusion:problem:idempotency-key-reused")


def test_a_new_sale_changes_the_next_value_and_an_unchanged_county_keeps_its_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits = []
    fit = models._fit
    monkeypatch.setattr(models, "_fit", lambda *given: fits.append(given) or fit(*given))  # type: ignore[func-returns-value]
    first = value().body["estimate"]
    assert value().body["estimate"] == first
    assert len(fits) == 1
    add_sale(sale_id="NEW", property_id="P0042", sale_date=date(2023, 9, 1), sale_price=Decimal(2_000_000))
    assert value().body["estimate"] != first
    assert len(fits) == 2


def test_an_earlier_sale_of_the_property_itself_is_a_comparable() -> None:
    used = {comparable["property_id"] for comparable in value("P0042").body["comparables"]}
    assert "P0042" in used


@pytest.mark.parametrize(
    ("on", "slug"),
    [
        ((datetime.now(UTC).date() + timedelta(days=400)).isoformat(), "valuation-date-too-late"),
        ("2025-06-01", "valuation-date-not-covered"),
        ("2021-06-01", "too-few-sales"),
        ("2022-01-20", "too-few-sales"),
    ],
    ids=["over a year ahead", "over a year after the last sale", "before the first sale", "after a few sales"],
)
def test_a_day_that_cannot_be_valued_for_is_refused_with_the_reason(on: str, slug: str) -> None:
    answer = value(on=on)
    assert (answer.status, answer.body["type"]) == (422, f"urn:terrafusion:problem:{slug}")
    assert answer.body["errors"][0]["pointer"] == "/body/valuation_date"
    if slug == "too-few-sales":
        assert "needs at least 50 sales" in answer.body["detail"]


def test_a_property_without_living_area_or_place_is_refused_and_one_without_coordinates_flagged() -> None:
    add_parcel(property_id="LAND", living_area_sqft=None)
    add_parcel(property_id="LOST", longitude=None, latitude=None, neighborhood=None)
    add_parcel(property_id="HOOD", longitude=None, latitude=None)
    for property_id in ("LAND", "LOST"):
        answer = value(property_id)
        assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:property-not-comparable")
        assert answer.body["errors"][0]["pointer"] == "/body/property_id"
    assert "no_coordinates" in {flag["code"] for flag in value("HOOD").body["flags"]}


def test_sales_of_one_price_are_no_evidence_of_any_value() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE sales SET sale_price = 250000"))
    answer = value()
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:sales-without-evidence")
    assert "sales have the same price" in answer.body["detail"]


def test_a_property_of_a_class_without_sales_is_refused() -> None:
    add_parcel(property_id="SHOP", property_class="commercial")
    answer = value("SHOP")
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:too-few-sales")
    assert "there are 0" in answer.body["detail"]


def test_an_unknown_valuation_is_not_found_and_a_role_without_permission_is_forbidden() -> None:
    assert value("NOBODY").status == 404
    assert value("'; DROP TABLE sales; --").status == 404
    missing = {"county_id": COUNTY, "valuation_id": "00000000-0000-4000-8000-000000000000"}
    assert call(handler, "GET", ALL + "/{valuation_id}", path=missing).status == 404
    assert value(claims=claims_of(Role.AUDITOR)).status == 403
    assert value(on="tomorrow").status == 422


def test_another_countys_sales_are_neither_read_nor_counted() -> None:
    add_county("lucas_oh")
    add_evidence("lucas_oh", price_factor=10.0)
    with unit_of_work("lucas_oh") as connection:
        # Asking for the other county's rows by name: row-level security leaves COPY nothing to send.
        assert len(read_evidence(connection, COUNTY)) == 0
        assert excluded_sales(connection, COUNTY) == {}
        assert len(read_evidence(connection, "lucas_oh")) == 500
        assert evidence_version(connection, "lucas_oh") != evidence_version(connection, COUNTY)
    mine = float(value().body["estimate"])
    theirs = float(value(county_id="lucas_oh", claims=claims_of(counties=("lucas_oh",))).body["estimate"])
    assert theirs == pytest.approx(10 * mine, rel=1e-6)
