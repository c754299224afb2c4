"""Exemptions through the handler and on PostgreSQL: applied for, decided by a second person, and what they take off."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import insert, select, text

from functions.exemptions.handler import handler
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Assessment, AuditEvent, Exemption, ExemptionGrant, Owner, PropertyOperational
from tests.aws import BUCKET, aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county

C = "/v1/counties/{county_id}"
ALL = f"{C}/exemptions"
ONE = f"{ALL}/{{exemption_id}}"
CLERK = claims_of(Role.ASSESSOR, username="clerk")
ASSESSOR = claims_of(Role.ASSESSOR, username="assessor")
TYPES = {
    "senior_freeze": {
        "title": "Senior citizens",
        "rule": {"kind": "freeze", "authority": "RCW 84.36.381(6)"},
        "period_years": 6,
        "renewal_years": 3,
    },
    "homestead": {
        "title": "Homestead",
        "rule": {"kind": "amount", "amount": "50000", "authority": "a county ordinance"},
        "period_years": 2,
        "one_per_owner": True,
    },
}
VALUES = {("P1", 2024): 300_000, ("P1", 2025): 450_000, ("P2", 2025): 200_000, ("P3", 2025): 30_000}
OWNERS = {"P1": "SMITH, JOHN", "P2": "John Smith", "P3": "Ng, Ada"}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_this_process(monkeypatch, "jobs"):
        add_county()
        with unit_of_work(COUNTY) as connection:
            settings = json.dumps({"plugin_settings": {"exemptions": {"types": TYPES}}})
            connection.execute(text("UPDATE counties SET configuration = CAST(:s AS jsonb)"), {"s": settings})
            own = {"county_id": COUNTY, **PROVENANCE}
            parcels = [{"property_id": key, "neighborhood": key[:1] + "-north", **own} for key in OWNERS]
            connection.execute(insert(PropertyOperational), parcels)
            owners = [
                {"owner_id": f"O{key}", "property_id": key, "name": name, "mailing_address": "1 A St", **own}
                for key, name in OWNERS.items()
            ]
            connection.execute(insert(Owner), owners)
            rolls = [
                {"assessment_id": f"{key}-{year}", "property_id": key, "roll_year": year, "total_value": value, **own}
                for (key, year), value in VALUES.items()
            ]
            connection.execute(insert(Assessment), rolls)
        yield


def applied(property_id: str = "P1", type_: str = "senior_freeze", first: int = 2024, **more: Any) -> Answer:
    body = {"property_id": property_id, "exemption_type": type_, "applicant": "J. Smith", "first_year": first, **more}
    return call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body, claims=CLERK)


def asked(method: str, exemption_id: str, part: str = "", **options: Any) -> Answer:
    path = {"county_id": COUNTY, "exemption_id": exemption_id, **options.pop("path", {})}
    return call(handler, method, ONE + part, path=path, **({"claims": ASSESSOR} | options))


def decided(exemption_id: str, decision: str = "grant", **more: Any) -> Answer:
    return asked("POST", exemption_id, "/decide", body={"decision": decision, "reason": "as filed", **more})


def granted(*arguments: Any, **more: Any) -> dict[str, Any]:
    answer = decided(applied(*arguments, **more).body["exemption_id"])
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def taxable(property_id: str, year: int) -> dict[str, Any]:
    path = {"county_id": COUNTY, "property_id": property_id}
    resource = f"{C}/properties/{{property_id}}/taxable-value"
    answer = call(handler, "GET", resource, path=path, query={"roll_year": str(year)}, claims=ASSESSOR)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def listed(part: str, **query: str) -> Any:
    answer = call(handler, "GET", ALL + part, path={"county_id": COUNTY}, query=query, claims=ASSESSOR)
    assert answer.status == 200, answer.body
    return answer.body


def add_known(property_id: str, type_: str, amount: int | None, year: int = 2025) -> None:
    """An exemption of the county's own system."""
    with unit_of_work(COUNTY) as connection:
        values = {"exemption_id": f"E{uuid4()}", "property_id": property_id, "exemption_type": type_}
        connection.execute(
            insert(Exemption).values(county_id=COUNTY, amount=amount, roll_year=year, **values, **PROVENANCE)
        )


def slug(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["type"].rpartition(":")[2]


def test_a_senior_freeze_keeps_market_and_taxable_value_apart() -> None:
    exemption = granted()
    assert (exemption["status"], exemption["frozen_value"], exemption["last_year"]) == ("granted", "300000.00", 2029)
    value = taxable("P1", 2025)
    assert (value["market_value"], value["taxable_value"]) == ("450000.00", "300000.00")
    (step,) = value["steps"]
    assert (step["source"], step["authority"], step["exempt_value"]) == ("granted", "RCW 84.36.381(6)", "150000.00")
    assert taxable("P1", 2024)["taxable_value"] == "300000.00"


def test_an_application_counts_for_nothing_until_it_is_granted() -> None:
    applied()
    assert taxable("P1", 2025)["taxable_value"] == "450000.00"


def test_a_second_person_decides() -> None:
    exemption_id = applied().body["exemption_id"]
    body = {"decision": "grant", "reason": "x"}
    assert slug(asked("POST", exemption_id, "/decide", body=body, claims=CLERK)) == (403, "own-application")
    assert decided(exemption_id, "deny").body["status"] == "denied"
    assert slug(decided(exemption_id, "grant")) == (409, "exemption-not-decidable")
    assert decided(exemption_id, "deny").status == 200, "asked for what it is, it stays"


def test_the_database_itself_refuses_a_decision_by_the_same_person() -> None:
    applied()
    with pytest.raises(Exception, match="ck_exemption_grants_second_person"), unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE exemption_grants SET decided_by = applied_by"))


@pytest.mark.parametrize(("first", "last"), [(2029, 2031), (2020, 2024), (2025, 2026), (2020, 2040)])
def test_overlapping_periods_of_one_type_are_refused(first: int, last: int) -> None:
    granted()
    assert slug(applied(first=first, last_year=last)) == (409, "exemption-overlaps")


def test_periods_that_touch_other_types_and_other_properties_are_free() -> None:
    granted()
    assert applied(first=2030).status == 201
    assert applied(type_="homestead").status == 201
    assert applied("P2").status == 201


def test_the_database_itself_refuses_two_of_one_type_in_a_year() -> None:
    applied()
    with unit_of_work(COUNTY) as connection:
        row = dict(connection.execute(select(ExemptionGrant.__table__)).one()._mapping)
    with pytest.raises(Exception, match="one_at_a_time"), unit_of_work(COUNTY) as connection:
        connection.execute(insert(ExemptionGrant).values(**{**row, "grant_id": uuid4()}))


def test_an_application_names_what_is_wrong_with_it() -> None:
    unknown = applied(type_="widows")
    assert (slug(unknown), unknown.body["errors"][0]["pointer"]) == (
        (422, "exemption-type-unknown"),
        "/body/exemption_type",
    )
    assert slug(applied("P9")) == (422, "property-not-found")
    assert applied(last_year=2020).status == 422


def test_a_freeze_without_a_value_of_the_first_year_asks_for_one() -> None:
    exemption_id = applied("P2", first=2024).body["exemption_id"]
    assert slug(decided(exemption_id)) == (422, "no-value-to-freeze")
    assert decided(exemption_id, frozen_value="190000").body["frozen_value"] == "190000.00"


def test_an_exemption_that_ends_counts_until_its_last_year() -> None:
    exemption_id = granted()["exemption_id"]
    assert slug(decided(exemption_id, "end", last_year=2023)) == (422, "year-outside-period")
    assert decided(exemption_id, "end", last_year=2024).body["status"] == "ended"
    assert taxable("P1", 2025)["taxable_value"] == "450000.00"
    assert taxable("P1", 2024)["steps"][0]["exemption_type"] == "senior_freeze"


def test_a_closed_roll_gets_no_exemption() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO rolls (county_id, roll_year, status, changed_by, version)"
                " VALUES ('king_wa', 2024, 'closed', 'a', 1)"
            )
        )
    assert slug(decided(applied().body["exemption_id"])) == (409, "roll-closed")
    assert decided(applied("P2", "homestead", 2025).body["exemption_id"]).status == 200


def test_renewals_that_are_due_are_listed_until_they_are_renewed() -> None:
    exemption_id = granted()["exemption_id"]
    assert listed("", renewal_due_by="2026")["items"] == []
    assert [item["exemption_id"] for item in listed("", renewal_due_by="2027")["items"]] == [exemption_id]
    assert decided(exemption_id, "renew").body["renewal_year"] == 2030
    assert listed("", renewal_due_by="2027")["items"] == []


def test_an_application_can_be_withdrawn_until_it_is_decided() -> None:
    exemption_id = applied().body["exemption_id"]
    body = {"reason": "sold"}
    assert asked("POST", exemption_id, "/withdraw", body=body).body["status"] == "withdrawn"
    assert asked("POST", exemption_id, "/withdraw", body=body).status == 200
    assert slug(asked("POST", granted()["exemption_id"], "/withdraw", body=body)) == (409, "exemption-not-decidable")


def test_two_homesteads_of_one_owner_are_found_whatever_the_spelling() -> None:
    granted("P1", "homestead", 2025)
    add_known("P2", "homestead", 40_000)
    granted("P3", "homestead", 2025)
    found = listed("/findings", roll_year="2025", check="second_of_one_owner")["items"]
    assert [(one["property_id"], one["source"], one["reason"]) for one in found] == [
        ("P1", "granted", "SMITH, JOHN has one on P2 too, at the same mailing address"),
        ("P2", "county_system", "John Smith has one on P1 too, at the same mailing address"),
    ]


def test_what_was_granted_to_an_earlier_owner_is_found() -> None:
    granted()
    assert listed("/findings", roll_year="2025", check="owner_changed")["items"] == []
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE owners SET name = 'Lee, Kim' WHERE property_id = 'P1'"))
    (found,) = listed("/findings", roll_year="2025", check="owner_changed")["items"]
    assert found["reason"] == "granted to SMITH, JOHN, and owned by Lee, Kim"


def test_the_name_of_a_confidential_owner_is_in_no_answer() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE owners SET confidential = true"))
    exemption = granted("P1", "homestead", 2025)
    add_known("P2", "homestead", 1)
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE owners SET name = 'Lee, Kim' WHERE property_id = 'P1'"))
    assert exemption["owners"] == [{"name": None, "mailing_address": None, "confidential": True}]
    shown = json.dumps(listed("/findings", roll_year="2025")).lower()
    assert "owner_changed" in shown
    assert "smith" not in shown
    assert "lee" not in shown


def test_expired_and_overdue_ones_are_found_with_their_reason() -> None:
    granted("P1", "homestead", 2022, last_year=2023)
    add_known("P1", "homestead", 50_000)
    overdue = granted("P1", "senior_freeze", 2024)
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE exemption_grants SET renewal_year = 2025 WHERE exemption_type = 'senior_freeze'")
        )
    found = listed("/findings", roll_year="2025")["items"]
    assert [(one["check"], one["reason"]) for one in found] == [
        ("expired", "granted here until 2023, and the county's system has it in 2025"),
        ("renewal_overdue", "to be renewed for 2025"),
    ]
    assert found[1]["exemption_id"] == overdue["exemption_id"]
    first = listed("/findings", roll_year="2025", page_size="1")
    assert listed("/findings", roll_year="2025", page_token=first["next_page_token"])["items"] == found[1:]


def test_the_loss_by_type_and_area_is_the_sum_of_the_taxable_values() -> None:
    granted()
    granted("P3", "homestead", 2025)
    add_known("P2", "veteran", 5_000)
    summary = listed("/summary", roll_year="2025")
    assert summary["losses"] == [
        {"exemption_type": "homestead", "area": "P-north", "properties": 1, "exempt_value": "30000.00"},
        {"exemption_type": "senior_freeze", "area": "P-north", "properties": 1, "exempt_value": "150000.00"},
        {"exemption_type": "veteran", "area": "P-north", "properties": 1, "exempt_value": "5000.00"},
    ]
    assert (summary["properties"], summary["market_value"], summary["taxable_value"]) == (3, "680000.00", "495000.00")
    each = sum(Decimal(taxable(key, 2025)["taxable_value"]) for key in OWNERS)
    assert each == Decimal(summary["taxable_value"])


def test_the_same_request_again_finds_the_same_application() -> None:
    body = {"property_id": "P1", "exemption_type": "homestead", "applicant": "x", "first_year": 2025}
    options: dict[str, Any] = {"path": {"county_id": COUNTY}, "claims": CLERK, "headers": {"Idempotency-Key": "once"}}
    first, again = (call(handler, "POST", ALL, body=body, **options) for _ in range(2))
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert slug(call(handler, "POST", ALL, body={**body, "first_year": 2040}, **options)) == (
        422,
        "idempotency-key-reused",
    )


def test_documents_are_sent_to_a_signed_address_and_taken_from_one() -> None:
    exemption_id, content = applied().body["exemption_id"], b"%PDF-1.7"
    digest = hashlib.sha256(content).hexdigest()
    body = {"filename": "proof.pdf", "content_type": "application/pdf", "size_bytes": len(content), "sha256": digest}
    options: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}, "claims": CLERK}
    made, again = (asked("POST", exemption_id, "/documents", body=body, **options) for _ in range(2))
    assert made.status == again.status == 201
    assert made.body["document_id"] == again.body["document_id"]
    assert made.body["send"]["method"] == "PUT"
    document_id = made.body["document_id"]
    path = {"document_id": document_id}
    part = "/documents/{document_id}/download"
    assert slug(asked("GET", exemption_id, part, path=path)) == (409, "file-not-sent")
    key = f"counties/{COUNTY}/exemptions/{exemption_id}/{document_id}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    assert asked("GET", exemption_id, part, path=path).status == 303
    assert [one["filename"] for one in asked("GET", exemption_id, "/documents").body] == ["proof.pdf"]
    assert asked("POST", exemption_id, "/documents", body={**body, "content_type": "text/html"}).status == 422


def test_a_property_of_the_same_id_in_another_county_has_its_own_values() -> None:
    granted()
    add_county("lucas_oh")
    path = {"county_id": "lucas_oh", "property_id": "P1"}
    claims = claims_of(Role.ASSESSOR, [COUNTY, "lucas_oh"], "assessor")
    resource = f"{C}/properties/{{property_id}}/taxable-value"
    answer = call(handler, "GET", resource, path=path, query={"roll_year": "2025"}, claims=claims)
    assert slug(answer) == (404, "assessment-not-found")
    assert call(handler, "GET", ALL, path={"county_id": "lucas_oh"}, claims=claims).body["items"] == []


def test_every_change_is_in_the_audit_trail() -> None:
    exemption_id = granted()["exemption_id"]
    decided(exemption_id, "end", last_year=2026)
    with unit_of_work(COUNTY) as connection:
        events = connection.execute(select(AuditEvent.actor, AuditEvent.action).order_by(AuditEvent.event_id)).all()
    assert [tuple(event) for event in events] == [
        ("clerk", "exemption.applied"),
        ("assessor", "exemption.granted"),
        ("assessor", "exemption.ended"),
    ]


def test_hostile_names_are_names() -> None:
    name = "<b>=1+1\u202e" + "x" * 250
    assert applied(applicant=name).body["applicant"] == name


def test_a_document_of_another_type_than_announced_is_not_handed_out() -> None:
    exemption_id, content = applied().body["exemption_id"], b"<script>"
    digest = hashlib.sha256(content).hexdigest()
    body = {"filename": "proof.pdf", "content_type": "application/pdf", "size_bytes": len(content), "sha256": digest}
    document_id = asked("POST", exemption_id, "/documents", body=body, claims=CLERK).body["document_id"]
    key = f"counties/{COUNTY}/exemptions/{exemption_id}/{document_id}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    answer = asked("GET", exemption_id, "/documents/{document_id}/download", path={"document_id": document_id})
    assert slug(answer) == (422, "document-of-another-type")
