"""All that a page about a property shows, in one round trip, for who may see it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pg8000.core
import pytest
from sqlalchemy import insert

from functions.properties.handler import handler
from shared.access import Role
from shared.db import driver, unit_of_work
from shared.db.models import (
    Assessment,
    Exemption,
    Improvement,
    Job,
    NeighborhoodRatio,
    Owner,
    SaleDecision,
    SaleFlag,
    SyncRun,
    Valuation,
    ValuationApproval,
    ValuationRun,
    ValuationRunResult,
)
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county, add_evidence, add_sale

ONE = "/v1/counties/{county_id}/properties/{property_id}"
PATH = {"county_id": COUNTY, "property_id": "P0101"}
SYNC, RUN, APPROVAL, STUDY, VALUATION = (UUID(int=number) for number in range(1, 6))
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


def shown(claims: Mapping[str, str] | None = None, part: str = "/summary", **path: str) -> Answer:
    return call(handler, "GET", ONE + part, path={**PATH, **path}, claims=claims)


def job(job_id: UUID, kind: str, day: int) -> dict[str, Any]:
    ended = datetime(2026, 3, day, tzinfo=UTC)
    fixed = {"status": "succeeded", "parameters": {}, "request_digest": "d", "submitted_by": "starter"}
    return {"job_id": job_id, "kind": kind, "created_at": ended, "finished_at": ended, **fixed}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase) -> None:
    """A county in which one property has everything."""
    add_county()
    add_evidence()
    add_sale(sale_id="S-old", property_id="P0101", sale_date=date(2010, 1, 1), sale_price=Decimal(0))
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (Job, [job(SYNC, "sync", 1), job(RUN, "valuation_run", 2), job(STUDY, "ratio_study", 3)]),
        (SyncRun, [{"run_id": SYNC, "mode": "full", "validate_only": False, "trigger": "request", "active": False}]),
        (
            ValuationRun,
            [{"run_id": RUN, "valuation_date": date(2026, 1, 1), "models": [], "data_version": "v", "properties": 1}],
        ),
        (
            ValuationRunResult,
            [
                {
                    "run_id": RUN,
                    "property_id": "P0101",
                    "partition_no": 0,
                    "estimate": Decimal("401000.50"),
                    "confidence": 0.8,
                    "review": True,
                    "flags": [],
                    "contributions": {"base": "300000.00", "living_area": "101000.50"},
                }
            ],
        ),
        (
            ValuationApproval,
            [
                {
                    "approval_id": APPROVAL,
                    "run_id": RUN,
                    "roll_year": 2026,
                    "filter": {},
                    "assessments": 1,
                    "properties": 1,
                    "approved_by": "assessor",
                    "skipped": {},
                }
            ],
        ),
        (
            Assessment,
            [
                {
                    "assessment_id": f"A{year}",
                    "property_id": "P0101",
                    "roll_year": year,
                    "total_value": Decimal(year) + Decimal("0.10"),
                    "sync_run_id": run,
                    **PROVENANCE,
                }
                for year, run in ((2025, SYNC), (2026, APPROVAL))
            ],
        ),
        (Improvement, [{"improvement_id": "I1", "property_id": "P0101", "area_sqft": Decimal("10.50"), **PROVENANCE}]),
        (Exemption, [{"exemption_id": "E1", "property_id": "P0101", "amount": Decimal("5.25"), **PROVENANCE}]),
        (
            Owner,
            [
                {"owner_id": "O1", "property_id": "P0101", "name": "Ann", "confidential": False, **PROVENANCE},
                {
                    "owner_id": "O2",
                    "property_id": "P0101",
                    "name": "Bob",
                    "mailing_city": "Kent",
                    "ownership_share": 0.5,
                    "confidential": True,
                    **PROVENANCE,
                },
            ],
        ),
        (SaleFlag, [{"sale_id": "S0101", "rule": "flip", "validation_id": STUDY, "reason": "Resold."}]),
        (
            SaleDecision,
            [
                {
                    "decision_id": STUDY,
                    "sale_id": "S0101",
                    "decision": "invalid",
                    "note": "n",
                    "validity_code": "valid",
                    "row_hash": "h",
                    "rules": [],
                    "request_digest": "d",
                    "decided_by": "a",
                }
            ],
        ),
    ]
    with unit_of_work(COUNTY) as connection:
        for model, values in rows:
            # rows of a list may differ in their columns: each is an INSERT of its own
            for value in values:
                connection.execute(insert(model).values(county_id=COUNTY, **value))


def corrected(**fields: Any) -> None:
    answer = call(handler, "PATCH", ONE, path=PATH, body=fields, headers={"if-match": "*"}, claims=claims_of())
    assert answer.status == 200, answer


def test_a_summary_has_what_the_single_resources_say() -> None:
    corrected(condition="Good")
    summary = shown().body

    assert summary["property"] == shown(part="").body
    assert summary["improvements"] == shown(part="/improvements").body
    sales = shown(part="/sales").body
    assert [{name: sale[name] for name in sales[0]} for sale in summary["sales"]] == sales
    history = shown(part="/history").body
    assert (summary["versions"], summary["author"]) == (len(history), history[0]["author"])
    assert summary["author"]["kind"] == "edit"
    assert summary["author"]["by"] == "somebody"


def test_a_summary_says_who_made_the_values_of_each_year() -> None:
    values = shown().body["values"]

    assert [(value["roll_year"], value["total_value"]) for value in values] == [(2026, "2026.10"), (2025, "2025.10")]
    approval, sync = (value["author"] for value in values)
    assert (approval["kind"], approval["by"], approval["valuation_run_id"]) == ("approval", "assessor", str(RUN))
    assert (sync["kind"], sync["by"], sync["sync_run_id"]) == ("sync", "starter", str(SYNC))


def test_a_summary_has_sales_with_validity_ratio_and_open_flags() -> None:
    new, old = shown().body["sales"]

    value = Decimal(shown().body["property"]["total_value"])
    assert new["ratio"] == pytest.approx(float(value / Decimal(new["sale_price"])))
    assert (new["validity_code"], new["decision"], new["validity"]) == ("valid", "invalid", "invalid")
    assert [(flag["rule"], flag["reason"]) for flag in new["flags"]] == [("flip", "Resold.")]
    assert (old["sale_id"], old["ratio"], old["flags"]) == ("S-old", None, [])


def test_a_summary_has_the_newest_value_with_what_makes_it() -> None:
    newest = shown().body["newest_value"]
    assert (newest["valuation_run_id"], newest["estimate"], newest["review"]) == (str(RUN), "401000.50", True)
    assert newest["base"] == "300000.00"
    assert newest["contributions"] == {"living_area": "101000.50"}

    with unit_of_work(COUNTY) as connection:
        contributions = {"base": "1.00", "features": [{"name": "view", "amount": "2.00", "value": None}]}
        connection.execute(
            insert(Valuation).values(
                county_id=COUNTY,
                valuation_id=VALUATION,
                property_id="P0101",
                valuation_date=date(2026, 2, 1),
                method="m",
                estimate=3,
                details={"review": False, "contributions": contributions},
                request_digest="d",
                created_by="a",
            )
        )
    newest = shown().body["newest_value"]
    assert (newest["valuation_id"], newest["valuation_run_id"]) == (str(VALUATION), None)
    assert (newest["base"], newest["contributions"]) == ("1.00", {"view": "2.00"})


def test_a_summary_has_the_neighborhoods_figures_overrides_and_conflicts() -> None:
    neighborhood = shown().body["property"]["neighborhood"]
    with unit_of_work(COUNTY) as connection:
        figures = {"study_id": STUDY, "neighborhood": neighborhood, "sales": 7, "median": 0.98, "cod": 8.5}
        connection.execute(insert(NeighborhoodRatio).values(county_id=COUNTY, **figures))
    corrected(condition="Good")
    summary = shown().body

    assert summary["neighborhood_ratios"] == {
        "study_id": str(STUDY),
        "studied_at": "2026-03-03T00:00:00Z",
        "sales": 7,
        "median": 0.98,
        "cod": 8.5,
        "prd": None,
    }
    (override,) = summary["overrides"]
    assert (override["field"], override["value"], override["made_by"]) == ("condition", "Good", "somebody")
    assert override["source_value"] != "Good"
    assert summary["conflicts"] == []


def test_a_summary_shows_a_role_what_the_role_may_see() -> None:
    whole, reporting = shown(claims_of(Role.ASSESSOR)).body, shown(claims_of(Role.REPORTING_STAFF)).body

    assert [owner["name"] for owner in whole["owners"]] == ["Ann", "Bob"]
    assert [(o["name"], o["mailing_city"], o["ownership_share"]) for o in reporting["owners"]] == [
        ("Ann", None, None),
        (None, None, 0.5),
    ]
    assert whole["newest_value"] is not None
    assert reporting["newest_value"] is None
    assert [sale["flags"] for sale in reporting["sales"]] == [[], []]
    assert shown({**claims_of(), "scope": "terrafusion/sign_in"}).status == 403


def test_a_summary_costs_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    shown()  # prepares the statement
    trips = 0

    def counted(sock: Any) -> None:
        nonlocal trips
        trips += 1
        sock.flush()

    for module in (driver, pg8000.core):
        monkeypatch.setattr(module, "_flush", counted)
    answer = shown(property_id="P0102")

    assert answer.body["property"]["property_id"] == "P0102"
    assert trips == 1


def test_a_property_with_nothing_around_it_has_a_summary_and_an_unknown_one_none() -> None:
    summary = shown(property_id="P0300").body

    assert (summary["values"], summary["owners"], summary["newest_value"]) == ([], [], None)
    assert summary["links"]["history"] == f"/v1/counties/{COUNTY}/properties/P0300/history"
    assert shown(property_id="nobody's").status == 404
