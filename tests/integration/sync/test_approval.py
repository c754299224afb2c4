"""Runs that wait for approval, and the API on them."""

from typing import Any
from uuid import uuid4

import pytest

from functions.sync.handler import handler
from functions.sync.tasks import machine
from shared.access import Role
from shared.problems import Conflict
from tests.gateway import Answer, call, claims_of
from tests.integration.sync.county import COUNTY, County

RUNS = "/v1/counties/{county_id}/sync-runs"
ONE = RUNS + "/{run_id}"


def api(method: str, resource: str, run_id: str = "", role: Role = Role.IT_ADMIN, **options: Any) -> Answer:
    path = {"county_id": COUNTY} | ({"run_id": run_id} if run_id else {})
    return call(handler, method, resource, path=path, claims=claims_of(role, [COUNTY]), **options)


def test_a_run_that_only_validates_waits_with_its_changes_and_writes_nothing(county: County) -> None:
    county.sync()
    before = county.row_versions()
    county.change("UPDATE parcel SET value = '7' WHERE id = 42; UPDATE parcel SET kept = false WHERE id = 7")
    county.change("INSERT INTO parcel (id, pin, class, built, value) VALUES (301, 'P301', 'R', '2000', '5')")

    run_id, outcome = county.sync(validate_only=True)

    assert outcome == "awaiting_approval"
    assert county.row_versions() == before
    shown = api("GET", ONE, run_id)
    assert shown.body["status"] == "awaiting_approval"
    counts = shown.body["tables"]["properties_operational"]
    assert [counts[name] for name in ("added", "changed", "removed", "returned")] == [1, 1, 1, 0]
    assert counts["changed_fields"] == {"total_value": 1}
    changes = {item["key"]: item for item in api("GET", ONE + "/changes", run_id).body["items"]}
    assert {key: item["change"] for key, item in changes.items()} == {
        "000007": "removed",
        "000042": "changed",
        "000301": "added",
    }
    assert changes["000042"]["fields"] == [{"field": "total_value", "old": "42000.50", "new": "7.00"}]


def test_an_approved_run_applies_what_was_shown_and_shows_the_same_afterwards(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET value = '7' WHERE id = 42; UPDATE parcel SET kept = false WHERE id = 7")
    run_id, _ = county.sync(validate_only=True)
    shown = api("GET", ONE + "/changes", run_id).body["items"]
    county.change("UPDATE parcel SET value = '8' WHERE id = 42")

    approved = api("POST", ONE + "/approve", run_id)
    county.finish(run_id)

    assert approved.status == 202
    assert county.query("SELECT total_value::text FROM properties_operational WHERE property_id = '000042'") == [
        ("7.00",)
    ]
    assert county.job(run_id)[0] == "succeeded"
    assert api("GET", ONE, run_id).body["approved_by"] == "somebody"
    by_key = {item["key"]: item for item in api("GET", ONE + "/changes", run_id).body["items"]}
    assert by_key["000042"] == next(item for item in shown if item["key"] == "000042")
    assert by_key["000007"]["change"] == "removed"
    assert county.query("SELECT action FROM audit_events ORDER BY event_id DESC LIMIT 2") == [
        ("sync.applied",),
        ("sync.approved",),
    ]


def test_an_approval_is_refused_when_a_row_was_edited_since_it_was_shown(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET value = '7' WHERE id = 42")
    run_id, _ = county.sync(validate_only=True)
    county.query("UPDATE properties_operational SET version = version + 1 WHERE property_id = '000042' RETURNING 1")

    refused = api("POST", ONE + "/approve", run_id)

    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "data-moved-on")
    assert county.job(run_id)[0] == "awaiting_approval"


def test_a_run_that_is_applied_meanwhile_supersedes_those_that_wait(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET value = '7' WHERE id = 42")
    waiting, _ = county.sync(validate_only=True)
    assert county.sync()[1] == "apply"

    status, error = county.job(waiting)
    assert status == "cancelled"
    assert error is not None
    assert error["type"] == "superseded"
    assert api("POST", ONE + "/approve", waiting).status == 409
    assert county.state()["staging"] == []


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("UPDATE parcel SET kept = false WHERE id <= 20", "removed_share"),
        ("UPDATE parcel SET built = 'x' WHERE id <= 20", "rejected_share"),
        ("DELETE FROM parcel WHERE id > 200", "shrunken_table"),
        ("ALTER TABLE parcel DROP COLUMN spare", "dropped_column"),
    ],
)
def test_a_guard_makes_the_run_wait_and_names_the_reason(county: County, change: str, guard: str) -> None:
    county.sync()
    before = county.row_versions()
    county.change(change)

    run_id, outcome = county.sync()

    assert outcome == "awaiting_approval"
    assert county.row_versions() == before
    findings = api("GET", ONE, run_id).body["guard_findings"]
    assert guard in {finding["guard"] for finding in findings}
    assert {finding["table"] for finding in findings} == {"properties_operational"}

    assert api("POST", ONE + "/approve", run_id).status == 202
    county.finish(run_id)
    assert county.job(run_id)[0] == "succeeded"


def test_an_empty_source_waits_and_retires_nothing(county: County) -> None:
    county.sync()
    county.change("DELETE FROM parcel")

    _, outcome = county.sync()

    assert outcome == "awaiting_approval"
    assert county.query("SELECT count(*) FROM properties_operational WHERE retired_at IS NOT NULL") == [(0,)]


def test_a_waiting_run_can_be_dropped(county: County) -> None:
    run_id, _ = county.sync(validate_only=True)

    cancelled = api("POST", ONE + "/cancel", run_id)

    assert cancelled.body["status"] == "cancelled"
    assert county.state()["staging"] == []
    assert api("GET", ONE + "/changes", run_id).status == 409
    assert api("POST", ONE + "/approve", run_id).status == 409


def test_a_run_is_started_once_for_an_idempotency_key(county: County) -> None:
    first = api("POST", RUNS, body={"mode": "full"}, headers={"Idempotency-Key": "a"})
    again = api("POST", RUNS, body={"mode": "full"}, headers={"Idempotency-Key": "a"})
    other = api("POST", RUNS, body={"validate_only": True}, headers={"Idempotency-Key": "a"})

    assert (first.status, again.status, other.status) == (202, 202, 422)
    assert first.body["id"] == again.body["id"]
    assert first.headers["location"] == ONE.format(county_id=COUNTY, run_id=first.body["id"])
    assert county.go_on(county.plan(run_id=first.body["id"])) == "apply"


def test_a_second_request_is_refused_with_the_name_of_the_run_that_is_active(county: County) -> None:
    first = api("POST", RUNS, body={})

    second = api("POST", RUNS, body={})

    assert second.status == 409
    assert first.body["id"] in second.body["detail"]
    assert len(api("GET", RUNS).body["items"]) == 1


def test_runs_are_listed_newest_first_and_in_pages(county: County) -> None:
    ids = [county.sync()[0] for _ in range(3)]

    first = api("GET", RUNS, query={"page_size": "2"}).body
    rest = api("GET", RUNS, query={"page_size": "2", "page_token": first["next_page_token"]}).body

    assert [run["id"] for run in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_page_token"] is None
    assert first["items"][0]["partitions"] == {"total": 6, "done": 6, "unchanged": 6}


def test_changes_and_rejected_rows_come_in_pages_without_gaps(county: County) -> None:
    county.change("UPDATE parcel SET built = 'x' WHERE id IN (5, 105)")
    run_id, _ = county.sync()

    def pages(resource: str, size: int) -> list[dict[str, Any]]:
        items, token = [], None
        while True:
            page = api(
                "GET", resource, run_id, query={"page_size": str(size)} | ({"page_token": token} if token else {})
            )
            items += page.body["items"]
            token = page.body["next_page_token"]
            if token is None:
                return items

    changes = pages(ONE + "/changes", 90)
    assert len(changes) == len({(item["table"], item["key"]) for item in changes}) == 297 + 240
    assert sorted(item["source_key"] for item in pages(ONE + "/rejected-rows", 1)) == ["105", "150", "5"]


def test_an_unknown_run_is_not_found(county: County) -> None:
    for method, resource in (
        ("GET", ONE),
        ("GET", ONE + "/changes"),
        ("POST", ONE + "/approve"),
        ("POST", ONE + "/resume"),
    ):
        assert api(method, resource, str(uuid4())).status == 404


def test_a_viewer_may_look_and_not_start(county: County) -> None:
    assert api("GET", RUNS, role=Role.AUDITOR).status == 200
    assert api("POST", RUNS, role=Role.AUDITOR, body={}).status == 403


def test_apply_refuses_a_run_that_waits_for_approval(county: County) -> None:
    run_id, _ = county.sync(validate_only=True)

    with pytest.raises(Conflict, match="awaiting_approval"):
        county.step(machine.apply, run_id)
