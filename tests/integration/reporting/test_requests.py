"""Asking for reports: what is taken, what is refused, and who may look."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Assessment, County
from tests.conftest import MigratedDatabase
from tests.gateway import claims_of
from tests.integration.reporting.reports import COUNTY, look, request, run, send
from tests.job_cloud import downloaded, job_cloud

__all__ = ["job_cloud"]

ROLL = {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2025}}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    for county_id in (COUNTY, "other_wa"):
        with unit_of_work(county_id) as connection:
            connection.execute(
                insert(County).values(
                    county_id=county_id, friendly_name=county_id, configuration={}, mapping="", version=1
                )
            )
            connection.execute(
                insert(Assessment).values(
                    county_id=county_id,
                    assessment_id="1",
                    property_id="P1",
                    roll_year=2025,
                    total_value=100,
                    source_system="TEST",
                    row_hash="h",
                    version=1,
                    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                )
            )


def submitted() -> str:
    job_id: str = send(ROLL).body["id"]
    return job_id


def test_a_request_is_answered_with_a_job_and_where_to_look_for_it() -> None:
    answer = send(ROLL)
    assert answer.status == 202
    assert (answer.body["kind"], answer.body["status"]) == ("report", "pending")
    assert answer.headers["location"] == f"/v1/counties/{COUNTY}/reports/{answer.body['id']}"
    assert answer.body["parameters"]["parameters"] == {
        "roll_year": 2025,
        "groups": ["property_class", "neighborhood"],
    }


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"report_type": "poem"}, ["/body/report_type"]),
        ({"format": "docx"}, ["/body/format"]),
        ({"parameters": {}}, ["/body/parameters/roll_year"]),
        ({"parameters": {"roll_year": 2025, "by": "class"}}, ["/body/parameters/by"]),
        (
            {"parameters": {"roll_year": "x", "groups": ["city"]}},
            ["/body/parameters/roll_year", "/body/parameters/groups/0"],
        ),
        ({"report_type": "sales_ratio_study"}, ["/body/parameters/ratio_study_id", "/body/parameters/roll_year"]),
        ({"title": "x"}, ["/body/title"]),
    ],
)
def test_what_cannot_be_reported_is_refused_with_the_place(change: dict[str, Any], pointers: list[str]) -> None:
    answer = send({**ROLL, **change})
    assert answer.status == 422, answer.body
    assert [error["pointer"] for error in answer.body["errors"]] == pointers


def test_the_same_idempotency_key_is_the_same_job() -> None:
    headers = {"Idempotency-Key": "once"}
    assert send(ROLL, headers=headers).body["id"] == send(ROLL, headers=headers).body["id"]
    other = request("assessment_roll_summary", "csv", {"roll_year": 2024}, headers=headers)
    assert (other.status, other.body["type"]) == (422, "urn:terrafusion:problem:idempotency-key-reused")


def test_nothing_can_be_taken_before_the_job_has_succeeded() -> None:
    answer = look(submitted(), "/download")
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:job-not-succeeded")


def test_a_failed_job_has_no_file() -> None:
    job_id = request("assessment_roll_summary", "csv", {"roll_year": 1999}).body["id"]
    assert run(job_id).body["status"] == "failed"
    assert look(job_id, "/download").status == 409


def test_the_download_is_a_redirect_to_a_file_with_a_telling_name() -> None:
    job_id = submitted()
    day = look(job_id).body["created_at"][:10]
    run(job_id)
    answer = look(job_id, "/download")
    assert f"king_wa-assessment-roll-summary-{day}.csv" in answer.headers["location"]
    assert answer.headers["cache-control"] == "no-store"
    assert downloaded(answer).startswith(b"grouping,group,roll_year,")


def test_a_task_that_runs_again_leaves_the_job_and_its_file() -> None:
    job_id = submitted()
    before = run(job_id).body
    file = downloaded(look(job_id, "/download"))
    assert run(job_id).body == before
    assert downloaded(look(job_id, "/download")) == file


def test_another_countys_report_is_not_there() -> None:
    job_id = submitted()
    run(job_id)
    for what in ("", "/download"):
        both = claims_of(counties=(COUNTY, "other_wa"))
        assert look(job_id, what, county_id="other_wa", claims=both).status == 404
        assert look(job_id, what, claims=claims_of(counties=("other_wa",))).status == 403


@pytest.mark.parametrize(
    ("role", "may_run", "may_look"),
    [
        (Role.ASSESSOR, True, True),
        (Role.REPORTING_STAFF, True, True),
        (Role.VALUATION_STAFF, False, False),
        (Role.AUDITOR, False, True),
    ],
)
def test_roles_may_do_what_the_table_says(role: Role, may_run: bool, may_look: bool) -> None:
    assert (send(ROLL, claims=claims_of(role)).status == 202) == may_run
    assert (look(submitted(), claims=claims_of(role)).status == 200) == may_look
