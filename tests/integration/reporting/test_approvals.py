"""Approved reports: what was reviewed is signed, once, and stays as it is."""

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import text, update

from functions.reporting.handler import handler
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Assessment
from tests.gateway import Answer, call, claims_of
from tests.integration.reporting.reports import COUNTY, ONE, look, request, run
from tests.integration.reporting.test_roll_reports import county
from tests.job_cloud import downloaded, job_cloud, run_task

__all__ = ["county", "job_cloud"]

APPROVALS = "/v1/counties/{county_id}/report-approvals/{approval_id}"


def made(format_: str = "json") -> str:
    """A report that was made: its id."""
    report_id: str = request("assessment_roll_summary", format_, {"roll_year": 2025}).body["id"]
    assert run(report_id).body["status"] == "succeeded"
    return report_id


def approve(report_id: str, role: Role = Role.ASSESSOR, username: str = "ann", **body: Any) -> Answer:
    path = {"county_id": COUNTY, "report_id": report_id}
    return call(handler, "POST", ONE + "/approve", path=path, body=body, claims=claims_of(role, username=username))


def approved(report_id: str, **more: Any) -> Answer:
    """A report that is approved: its approval's job, ended."""
    from functions.reporting.tasks import handler as task

    sent = approve(report_id, **more)
    assert sent.status == 202, sent.body
    run_task(task, COUNTY, "report_approval", sent.body["id"])
    return look(report_id, "/approval")


def of_approval(approval_id: str, what: str) -> Answer:
    return call(handler, "GET", APPROVALS + what, path={"county_id": COUNTY, "approval_id": approval_id})


@pytest.mark.parametrize("format_", ["pdf", "html", "xlsx", "json", "csv"])
def test_an_approved_report_says_who_and_when_and_the_report_stays(format_: str) -> None:
    report_id = made(format_)
    before = downloaded(look(report_id, "/download"))

    approval = approved(report_id, note="reviewed with the board").body

    assert approval["status"] == "succeeded", approval
    results = of_approval(approval["id"], "/results").body
    signed = downloaded(of_approval(approval["id"], "/download"))
    assert (results["approved_by"], results["note"]) == ("ann", "reviewed with the board")
    assert results["sha256"] == hashlib.sha256(signed).hexdigest()
    assert results["file"]["filename"].startswith("approved-")
    assert downloaded(look(report_id, "/download")) == before
    if format_ == "json":
        document = json.loads(signed)
        assert document["approval"] == {
            "approved_by": "ann",
            "approved_at": results["approved_at"].replace("Z", "+00:00"),
        }
        assert document | {"approval": None} == json.loads(before)
    with unit_of_work(COUNTY) as connection:
        event = connection.execute(
            text("SELECT actor, subject, details FROM audit_events WHERE action = 'report.approved'")
        ).one()
    assert event == ("ann", f"reports/{report_id}", {"sha256": results["sha256"], "note": "reviewed with the board"})


def test_a_report_is_approved_once_and_the_second_hears_by_whom() -> None:
    report_id = made()
    first = approved(report_id).body

    again = approve(report_id)
    other = approve(report_id, username="bob")

    assert (again.status, again.body["id"]) == (202, first["id"])
    assert (other.status, other.body["type"]) == (409, "urn:terrafusion:problem:report-approved")
    assert "ann" in other.body["detail"]


def test_a_signed_report_does_not_change_with_its_data() -> None:
    report_id = made()
    approval = approved(report_id).body
    signed = downloaded(of_approval(approval["id"], "/download"))
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Assessment).values(land_value=1))

    assert approve(report_id).status == 202
    assert downloaded(of_approval(approval["id"], "/download")) == signed


def test_what_would_not_be_the_same_any_more_is_not_signed() -> None:
    report_id = made()
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Assessment).values(land_value=1))

    approval = approved(report_id).body

    assert (approval["status"], approval["error"]["type"]) == ("failed", "report-outdated")


def test_only_who_may_approves_and_only_what_is_made() -> None:
    report_id: str = request("assessment_roll_summary", "json", {"roll_year": 2025}).body["id"]
    assert approve(report_id).status == 409  # not made yet
    assert look(report_id, "/approval").status == 404
    run(report_id)
    for role in (Role.REPORTING_STAFF, Role.AUDITOR, Role.VALUATION_STAFF):
        assert approve(report_id, role).status == 403
    assert approve("00000000-0000-0000-0000-000000000000").status == 404
    assert approve(report_id, note="").status == 422
