"""Assessment rolls: listed, closed, opened again; through the handler and on PostgreSQL."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select

from functions.roll.handler import handler
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Assessment, AuditEvent
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county

ALL = "/v1/counties/{county_id}/rolls"
ADA = claims_of(Role.ASSESSOR, username="ada")


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase) -> None:
    add_county()
    rows = [("A1", "P1", 2023, 100), ("A2", "P2", 2023, 200), ("A3", "P1", 2024, 120)]
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Assessment),
            [
                {
                    "county_id": COUNTY,
                    "assessment_id": assessment_id,
                    "property_id": property_id,
                    "roll_year": year,
                    "total_value": Decimal(value),
                    **PROVENANCE,
                }
                for assessment_id, property_id, year, value in rows
            ],
        )


def roll(year: int | str, **options: Any) -> Answer:
    return call(handler, "GET", ALL + "/{roll_year}", path={"county_id": COUNTY, "roll_year": str(year)}, **options)


def change(action: str, year: int | str = 2023, body: dict[str, Any] | None = None, **options: Any) -> Answer:
    path = {"county_id": COUNTY, "roll_year": str(year)}
    given = {"claims": ADA} | options
    return call(handler, "POST", ALL + "/{roll_year}/" + action, path=path, body=body or {}, **given)


def test_every_year_with_assessments_is_a_roll_that_is_open_until_it_is_closed() -> None:
    body = call(handler, "GET", ALL, path={"county_id": COUNTY}).body
    assert [(item["roll_year"], item["status"], item["assessments"], item["total_value"]) for item in body] == [
        (2024, "open", 1, "120.00"),
        (2023, "open", 2, "300.00"),
    ]
    assert body[0]["changed_by"] is None


def test_a_closed_roll_says_who_closed_it_and_closing_it_again_changes_nothing() -> None:
    closed = change("close", body={"reason": "certified to the treasurer"})
    assert (closed.status, closed.body["status"], closed.body["changed_by"]) == (200, "closed", "ada")
    assert closed.body["reason"] == "certified to the treasurer"
    assert closed.headers["etag"] == '"1"'
    assert change("close").body == closed.body == roll(2023).body
    assert roll(2024).body["status"] == "open"
    with unit_of_work(COUNTY) as connection:
        events = connection.execute(select(AuditEvent.action, AuditEvent.subject)).all()
    assert [tuple(event) for event in events] == [("roll.closed", "rolls/2023")]


def test_a_roll_that_was_closed_by_mistake_is_opened_again_with_a_reason() -> None:
    change("close")
    assert change("reopen").status == 422
    opened = change("reopen", body={"reason": "an appeal was decided"})
    assert (opened.body["status"], opened.body["reason"], opened.body["version"]) == (
        "open",
        "an appeal was decided",
        2,
    )
    assert change("reopen", body={"reason": "again"}).body == opened.body


def test_a_year_without_assessments_is_not_found_and_what_is_no_year_refused() -> None:
    assert roll(1990).status == change("close", 1990).status == 404
    assert roll("next").status == change("close", 1).status == 422


def test_a_roll_is_closed_by_who_may_approve_values_and_seen_by_its_own_county_only() -> None:
    for role in (Role.VALUATION_STAFF, Role.AUDITOR):
        assert change("close", claims=claims_of(role)).status == 403
        assert roll(2023, claims=claims_of(role)).status == 200
    assert roll(2023, claims=claims_of(counties=("lucas_oh",))).status == 403
    add_county("lucas_oh")
    theirs = call(handler, "GET", ALL, path={"county_id": "lucas_oh"}, claims=claims_of(counties=("lucas_oh",)))
    assert theirs.body == []
