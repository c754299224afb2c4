"""The age of each county's last good sync is measured by the clock: a county whose schedule has stopped is noticed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import insert, update

from functions.freshness.tasks import measure
from shared.db import unit_of_work
from shared.db.models import County, Job, SyncRun
from tests.aws import BUCKET, aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext

GROUP = "syncs"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def cloud(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SCHEDULE_GROUP_NAME", GROUP)
    with aws_in_this_process(monkeypatch, "sync"):
        boto3.client("scheduler").create_schedule_group(Name=GROUP)
        yield


def onboard(county_id: str, *, cron: str | None = "30 2 * * ? *", scheduled: bool = True, objects: bool = True) -> None:
    ingestion = {"connection_secret_name": f"terrafusion/{county_id}/source"} | (
        {"sync_schedule_cron": cron} if cron else {}
    )
    configuration = {
        "county_id": county_id,
        "county_friendly_name": county_id,
        "legacy_system_type": "TESTING",
        "timezone": "UTC",
        "contact": {"name": "IT", "email": "it@example.org"},
        "data_ingestion_settings": ingestion,
    }
    with unit_of_work(county_id) as connection:
        row = {"county_id": county_id, "friendly_name": county_id, "mapping": "", "version": 1}
        connection.execute(insert(County).values(**row, configuration=configuration))
        connection.execute(update(County).values(updated_at=datetime.now(UTC) - timedelta(days=30)))
    if scheduled:
        target: Any = {
            "Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:sync",
            "RoleArn": "arn:aws:iam::1:role/x",
        }
        boto3.client("scheduler").create_schedule(
            Name=county_id, GroupName=GROUP, ScheduleExpression="cron(30 2 * * ? *)", Target=target,
            FlexibleTimeWindow={"Mode": "OFF"},
        )  # fmt: skip
    if objects:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"counties/{county_id}/runs/1/plan.json", Body=b"{}")


def synced(county_id: str, ago: timedelta, status: str = "succeeded", **run: Any) -> None:
    moment, run_id = datetime.now(UTC) - ago, uuid4()
    with unit_of_work(county_id) as connection:
        connection.execute(
            insert(Job).values(
                county_id=county_id,
                job_id=run_id,
                kind="sync",
                status=status,
                parameters={},
                request_digest="",
                submitted_by="x",
                created_at=moment,
                finished_at=moment,
            )
        )
        values = {
            "county_id": county_id,
            "run_id": run_id,
            "mode": "full",
            "validate_only": False,
            "trigger": "schedule",
        }
        connection.execute(insert(SyncRun).values(**(values | {"active": False} | run)))


def measured(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, int], dict[str, float]]:
    capsys.readouterr()
    answer = measure({}, LambdaContext())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return answer, {line["county_id"]: line["GoodSyncAge"][0] for line in lines if "GoodSyncAge" in line}


def test_the_age_of_every_countys_data_is_recorded_with_the_county_as_a_property(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for county_id, ago in (("benton_wa", HOUR), ("king_wa", 2 * HOUR)):
        onboard(county_id)
        synced(county_id, ago)

    answer, ages = measured(capsys)

    assert answer == {"ScheduledCounties": 2, "LateCounties": 0}
    assert {county_id: round(age / 3600) for county_id, age in ages.items()} == {"benton_wa": 1, "king_wa": 2}


def test_a_county_whose_schedule_is_gone_from_the_scheduler_is_late(capsys: pytest.CaptureFixture[str]) -> None:
    onboard("king_wa", scheduled=False)
    synced("king_wa", timedelta(days=3))

    assert measured(capsys)[0] == {"ScheduledCounties": 1, "LateCounties": 1}


def test_a_county_that_has_never_been_synced_is_late(capsys: pytest.CaptureFixture[str]) -> None:
    onboard("king_wa", objects=False)

    assert measured(capsys) == ({"ScheduledCounties": 1, "LateCounties": 1}, {})


@pytest.mark.parametrize(
    "run",
    [
        {"status": "failed"},
        {"status": "cancelled"},
        {"validate_only": True},
        *({name: uuid4()} for name in ("replay_of", "upload_id", "rolls_back")),
    ],
    ids=["failed", "skipped", "validated only", "replay", "upload", "roll-back"],
)
def test_a_run_that_brought_nothing_of_the_source_is_no_good_sync(
    run: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    onboard("king_wa")
    synced("king_wa", timedelta(days=3))
    synced("king_wa", HOUR, **run)

    answer, ages = measured(capsys)

    assert (answer["LateCounties"], round(ages["king_wa"] / 3600)) == (1, 72)


def test_a_county_without_a_schedule_is_not_late_and_its_age_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    onboard("king_wa", cron=None, scheduled=False)
    synced("king_wa", timedelta(days=3))

    answer, ages = measured(capsys)

    assert (answer, list(ages)) == ({"ScheduledCounties": 0, "LateCounties": 0}, ["king_wa"])


def test_a_county_that_cannot_be_judged_is_late_and_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    onboard("aaa_wa")
    with unit_of_work("aaa_wa") as connection:
        connection.execute(update(County).values(configuration={}))
    onboard("king_wa")
    synced("king_wa", HOUR)

    assert measured(capsys)[0] == {"ScheduledCounties": 2, "LateCounties": 1}


def test_objects_of_a_county_that_is_not_onboarded_any_more_are_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key="counties/gone_wa/runs/1/plan.json", Body=b"{}")

    assert measured(capsys) == ({"ScheduledCounties": 0, "LateCounties": 0}, {})
