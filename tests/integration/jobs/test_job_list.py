"""The one list of jobs: every kind, for whoever may see it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from functions.jobs.handler import handler
from functions.jobs.schemas import KINDS
from infra.functions import REGISTRY
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Job
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county

JOBS = "/v1/counties/{county_id}/jobs"
NAMES = sorted(KINDS)
START = datetime(2026, 3, 1, tzinfo=UTC)


def listed(claims: Mapping[str, str] | None = None, /, **query: str) -> Answer:
    return call(handler, "GET", JOBS, path={"county_id": COUNTY}, query=query, claims=claims)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [job["id"] for job in answer.body["items"]]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Three jobs of each kind; those of a triple are submitted at the same time."""
    return [
        {
            "county_id": COUNTY,
            "job_id": UUID(int=number),
            "kind": kind,
            "status": ("succeeded", "failed", "running")[number % 3],
            "parameters": {"number": number},
            "request_digest": "d",
            "submitted_by": "somebody" if number % 2 else "another",
            "created_at": START + timedelta(minutes=number // 3),
        }
        for number, kind in enumerate(sorted(NAMES * 3))
    ]


@pytest.fixture
def jobs(database: MigratedDatabase, rows: list[dict[str, Any]]) -> None:
    add_county()
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(Job), rows)


def test_one_list_has_the_jobs_of_every_kind_and_syncs_newest_first_with_their_links(jobs: None) -> None:
    answer = listed(page_size="1000")

    assert ids(answer) == [str(UUID(int=number)) for number in reversed(range(3 * len(NAMES)))]
    kinds = {kind.name: kind for kind in REGISTRY.job_kinds}
    for job in answer.body["items"]:
        assert job["links"] == kinds[job["kind"]].links(COUNTY, UUID(job["id"]))
    reports = next(job for job in answer.body["items"] if job["kind"] == "report")
    assert reports["links"]["download"] == f"{reports['links']['self']}/download"


def test_pages_of_any_size_visit_each_job_once_in_order(jobs: None) -> None:
    whole = ids(listed(page_size="1000"))
    for size in ("1", "2", "5"):
        seen: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = listed(page_size=size, **token)
            seen += ids(answer)
            if answer.body.get("next_page_token") is None:
                break
            token = {"page_token": answer.body["next_page_token"]}
        assert seen == whole


@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.VALUATION_STAFF, Role.REPORTING_STAFF, Role.AUDITOR])
def test_a_caller_sees_the_kinds_that_his_permissions_let_him_see(jobs: None, role: Role) -> None:
    claims = claims_of(role)
    visible = {name for name, kind in KINDS.items() if kind.view.scope in claims["scope"].split()}

    answer = listed(claims, page_size="1000")

    assert {job["kind"] for job in answer.body["items"]} == visible
    for name in KINDS:
        assert listed(claims, kind=name).status == (200 if name in visible else 403)


def test_what_the_county_withholds_from_a_role_is_not_in_the_list(jobs: None) -> None:
    claims = {**claims_of(), "withheld": json.dumps({COUNTY: ["view_sync"]})}

    assert "sync" not in {job["kind"] for job in listed(claims, page_size="1000").body["items"]}
    refused = listed(claims, kind="sync")
    assert (refused.status, refused.body["type"]) == (403, "urn:terrafusion:problem:permission-withheld")


def test_each_filter_takes_what_it_says(jobs: None, rows: list[dict[str, Any]]) -> None:
    def expected(holds: Any) -> list[str]:
        return [str(row["job_id"]) for row in reversed(rows) if holds(row)]

    since = START + timedelta(minutes=2)
    assert ids(listed(kind="report")) == expected(lambda row: row["kind"] == "report")
    assert ids(listed(status="failed")) == expected(lambda row: row["status"] == "failed")
    assert ids(listed(mine="true")) == expected(lambda row: row["submitted_by"] == "somebody")
    assert ids(listed(since=since.isoformat())) == expected(lambda row: row["created_at"] >= since)
    both = listed(mine="true", status="running")
    assert ids(both) == expected(lambda row: row["submitted_by"] == "somebody" and row["status"] == "running")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"kind": "nonsense"}, "/query/kind"),
        ({"status": "done"}, "/query/status"),
        ({"since": "yesterday"}, "/query/since"),
        ({"since": "2026-03-01"}, "/query/since"),
        ({"since": "2999-01-01T00:00:00Z"}, "/query/since"),
        ({"mine": "perhaps"}, "/query/mine"),
        ({"page_size": "0"}, "/query/page_size"),
    ],
)
def test_a_malformed_filter_is_refused_where_it_stands(jobs: None, query: dict[str, str], pointer: str) -> None:
    answer = listed(**query)

    assert answer.status == 422
    assert {error["pointer"] for error in answer.body["errors"]} == {pointer}


def test_a_token_of_another_list_is_refused(jobs: None) -> None:
    token = listed(page_size="1").body["next_page_token"]

    assert listed(page_size="1", page_token=token, kind="report").status == 400
    assert listed(page_token="x").status == 400


def test_a_county_that_is_not_onboarded_has_no_list(database: MigratedDatabase) -> None:
    assert listed().status == 404
