"""Schedules: made of a job, known to EventBridge, and submitting that job again at each tick for their user."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from sqlalchemy import select, update

from functions.market_analysis.handler import handler as analyses
from functions.schedules.handler import handler
from functions.schedules.schemas import KINDS
from functions.schedules.tasks import start
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import County, Job
from shared.problems import CountyRateLimited
from shared.settings import settings
from tests.aws import schedule_group
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.keys.world import COUNTY, OTHER, Clock, World, world

ALL = "/v1/counties/{county_id}/job-schedules"
ONE = ALL + "/{schedule_id}"
MONDAYS = "0 6 ? * MON *"
REQUEST = {"from": "2022-01-01", "to": "2023-12-31", "valuation_date": "2024-01-01"}
GROUP = "jobs"
TICK = "2026-12-07T14:00:00Z"


@pytest.fixture
def cloud(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(monkeypatch, Clock()) as made:
        schedule_group(monkeypatch)
        yield made


def analysis() -> str:
    answer = call(analyses, "POST", "/v1/counties/{county_id}/market-analyses", **at(), body=REQUEST)
    return str(answer.body["id"])


def at(county_id: str = COUNTY, **path: str) -> dict[str, Any]:
    return {"path": {"county_id": county_id, **path}, "claims": claims_of(Role.ASSESSOR, (COUNTY, OTHER))}


def scheduled(**changes: Any) -> Answer:
    headers = changes.pop("headers", {})
    body = {"job_id": changes.pop("job_id", None) or analysis(), "name": "Monday's market", "cron": MONDAYS, **changes}
    return call(handler, "POST", ALL, **at(), body=body, headers=headers)


def changed(schedule_id: str, body: dict[str, Any], version: str = "*") -> Answer:
    return call(handler, "PATCH", ONE, **at(schedule_id=schedule_id), body=body, headers={"if-match": version})


def one(schedule_id: str) -> Answer:
    return call(handler, "GET", ONE, **at(schedule_id=schedule_id))


def in_the_scheduler(schedule_id: str) -> dict[str, Any]:
    return dict(boto3.client("scheduler").get_schedule(Name=schedule_id, GroupName=GROUP))


def names_in_the_scheduler() -> list[str]:
    return [each["Name"] for each in boto3.client("scheduler").list_schedules(GroupName=GROUP)["Schedules"]]


def tick(schedule_id: str, scheduled_at: str = TICK) -> str | None:
    event = {"county_id": COUNTY, "schedule_id": schedule_id, "scheduled_at": scheduled_at}
    job_id: str | None = start(event, LambdaContext())["job_id"]
    return job_id


def jobs() -> list[Any]:
    with unit_of_work(COUNTY) as connection:
        columns = (Job.job_id, Job.kind, Job.parameters, Job.submitted_by)
        return list(connection.execute(select(*columns).where(Job.county_id == COUNTY).order_by(Job.created_at)))


def test_a_schedule_repeats_a_job_at_the_countys_time_of_day(cloud: World) -> None:
    job_id = analysis()
    answer = scheduled(job_id=job_id)
    assert (answer.status, answer.headers["etag"]) == (201, '"1"')
    schedule = answer.body
    assert answer.headers["location"].endswith(f"/job-schedules/{schedule['schedule_id']}")
    assert (schedule["kind"], schedule["parameters"]) == ("market_analysis", jobs()[0].parameters)
    assert schedule["next_run_at"].split("T")[0] > "2026-11-29"
    assert (schedule["last_job_id"], schedule["links"], schedule["created_by"]) == (None, {}, "somebody")
    kept = in_the_scheduler(schedule["schedule_id"])
    assert (kept["ScheduleExpression"], kept["State"]) == (f"cron({MONDAYS})", "ENABLED")
    assert kept["ScheduleExpressionTimezone"] == schedule["timezone"]
    assert json.loads(kept["Target"]["Input"])["scheduled_at"] == "<aws.scheduler.scheduled-time>"

    made = tick(schedule["schedule_id"])

    first, second = jobs()
    assert (str(first.job_id), str(second.job_id)) == (job_id, made)
    assert (second.kind, second.parameters) == (first.kind, first.parameters)
    assert second.submitted_by == "somebody"
    after = one(schedule["schedule_id"]).body
    assert after["last_job_id"] == made
    assert after["last_run_at"].startswith("2026-12-07T14:00:00")
    assert after["links"]["last_job"] == f"/v1/counties/{COUNTY}/market-analyses/{made}"
    assert after["links"]["download"] == f"/v1/counties/{COUNTY}/market-analyses/{made}/download"


def test_a_tick_that_is_delivered_twice_makes_one_job_and_the_next_tick_another(cloud: World) -> None:
    schedule_id = scheduled().body["schedule_id"]
    first = tick(schedule_id)
    assert (tick(schedule_id), len(jobs())) == (first, 2)
    assert tick(schedule_id, "2026-12-14T14:00:00Z") != first
    assert len(jobs()) == 3


def test_what_would_be_made_for_somebody_who_may_no_longer_is_not_made(cloud: World) -> None:
    schedule_id = scheduled().body["schedule_id"]
    with unit_of_work(COUNTY) as connection:
        refined = {"rbac_settings": {"roles": {"Assessor": {"revoke": ["view_valuation"]}}}}
        connection.execute(
            update(County).where(County.county_id == COUNTY).values(configuration=County.configuration + refined)
        )
    assert tick(schedule_id) is None
    stopped = one(schedule_id).body
    assert (stopped["enabled"], stopped["next_run_at"], len(jobs())) == (False, None, 1)
    assert stopped["disabled_reason"] == "somebody no longer has the permissions with which the schedule was made."
    assert in_the_scheduler(schedule_id)["State"] == "DISABLED"

    started = changed(schedule_id, {"enabled": True})
    assert (started.status, started.body["disabled_reason"]) == (200, None)
    assert in_the_scheduler(schedule_id)["State"] == "ENABLED"


@pytest.mark.parametrize("ending", ["disabled", "deleted", "moved"])
def test_nothing_is_made_for_a_user_who_is_gone(cloud: World, ending: str) -> None:
    schedule_id = scheduled().body["schedule_id"]
    if ending == "disabled":
        cloud.cognito.admin_disable_user(UserPoolId=cloud.pool, Username="somebody")
    elif ending == "deleted":
        cloud.cognito.admin_delete_user(UserPoolId=cloud.pool, Username="somebody")
    else:
        cloud.attributes("somebody", counties=OTHER)
    assert tick(schedule_id) is None
    assert (one(schedule_id).body["enabled"], len(jobs())) == (False, 1)


def test_a_job_that_cannot_be_submitted_is_said_and_tried_again(cloud: World, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_id = scheduled().body["schedule_id"]
    monkeypatch.setenv("COUNTY_ACTIVE_JOBS", "1")
    settings.cache_clear()
    with pytest.raises(CountyRateLimited):
        tick(schedule_id)
    assert one(schedule_id).body["last_error"]["type"] == "county-rate-limited"
    monkeypatch.delenv("COUNTY_ACTIVE_JOBS")
    settings.cache_clear()
    assert tick(schedule_id) is not None
    assert one(schedule_id).body["last_error"] is None


def test_a_schedule_is_listed_changed_and_deleted(cloud: World) -> None:
    ids = [scheduled(name=f"Number {number}").body["schedule_id"] for number in range(3)]
    first = call(handler, "GET", ALL, **at(), query={"page_size": "2"}).body
    rest = call(handler, "GET", ALL, **at(), query={"page_size": "2", "page_token": first["next_page_token"]}).body
    assert [each["schedule_id"] for each in (*first["items"], *rest["items"])] == ids[::-1]

    assert changed(ids[0], {"cron": "30 5 1 * ? *"}, '"7"').status == 412
    answer = changed(ids[0], {"cron": "30 5 1 * ? *", "timezone": "America/Denver", "name": "Monthly"}, '"1"')
    assert (answer.status, answer.headers["etag"], answer.body["name"]) == (200, '"2"', "Monthly")
    assert in_the_scheduler(ids[0])["ScheduleExpressionTimezone"] == "America/Denver"

    assert call(handler, "DELETE", ONE, **at(schedule_id=ids[0])).status == 204
    assert one(ids[0]).status == 404
    assert ids[0] not in names_in_the_scheduler()
    assert tick(ids[0]) is None


def test_the_same_request_with_a_key_makes_one_schedule(cloud: World) -> None:
    job_id, key = analysis(), {"idempotency-key": "k"}
    first, again = (scheduled(job_id=job_id, headers=key) for _ in range(2))
    assert (first.body, len(names_in_the_scheduler())) == (again.body, 1)
    assert scheduled(job_id=job_id, headers=key, name="Another").body["type"].endswith("idempotency-key-reused")


@pytest.mark.parametrize(
    ("fault", "pointer", "slug"),
    [
        ({"cron": "0/30 * * * ? *"}, "/body/cron", "schedule-too-frequent"),
        ({"cron": "0 6 1 1 ? 2020"}, "/body/cron", "schedule-invalid"),
        ({"timezone": "Mars/Olympus"}, "/body/timezone", "schedule-invalid"),
        ({"job_id": str(uuid4())}, "/body/job_id", "job-unknown"),
        ({"cron": "every monday"}, "/body/cron", None),
        ({"name": " "}, "/body/name", None),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_with_its_place(
    cloud: World, fault: dict[str, Any], pointer: str, slug: str | None
) -> None:
    answer = scheduled(**fault)
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"] == pointer
    assert slug is None or answer.body["type"] == f"urn:terrafusion:problem:{slug}"
    assert names_in_the_scheduler() == []


def test_jobs_that_change_something_are_not_repeated(cloud: World) -> None:
    job_id = analysis()
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Job).where(Job.job_id == UUID(job_id)).values(kind="valuation_approval"))
    answer = scheduled(job_id=job_id)
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:job-not-repeatable")
    assert set(KINDS) == {"gis_export", "market_analysis", "ratio_study", "report"}


def test_who_may_not_submit_jobs_of_a_kind_schedules_none_and_sees_what_he_may_see(cloud: World) -> None:
    job_id = analysis()
    schedule_id = scheduled(job_id=job_id).body["schedule_id"]
    body = {"job_id": job_id, "name": "x", "cron": MONDAYS}
    path = {"county_id": COUNTY, "schedule_id": schedule_id}
    for role, sees in ((Role.AUDITOR, True), (Role.REPORTING_STAFF, False)):
        claims = claims_of(role, (COUNTY,))
        assert call(handler, "POST", ALL, path={"county_id": COUNTY}, claims=claims, body=body).status == 403
        assert call(handler, "DELETE", ONE, path=path, claims=claims).status == 403
        assert call(handler, "GET", ONE, path=path, claims=claims).status == (200 if sees else 403)
        items = call(handler, "GET", ALL, path={"county_id": COUNTY}, claims=claims).body["items"]
        assert len(items) == sees
    elsewhere = {"county_id": OTHER, "schedule_id": schedule_id}
    assert call(handler, "GET", ONE, path=elsewhere, claims=claims_of(Role.ASSESSOR, (OTHER,))).status == 404
