"""The one life cycle of long tasks, on a real database; S3 and Step Functions by moto."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from sqlalchemy import insert

from shared import aws, jobs
from shared.access import Caller
from shared.contracts.job_faults import PLATFORM_FAULTS
from shared.db import DatabaseBusy, DatabaseUnavailable, unit_of_work
from shared.db.models import County
from shared.jobs import Job, JobError, RunningJob, failures, job_task, repository
from shared.problems import Conflict, NotFound, ServiceUnavailable, Unprocessable
from shared.schemas import Schema
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext, claims_of
from tests.job_cloud import job_cloud, sample_kind

__all__ = ["job_cloud"]

CALLER = Caller.from_claims(claims_of())


class Wanted(Schema):
    """The request of a test's job."""

    number: int


class Found(Schema):
    """The results of a test's job."""

    doubled: int


KIND = sample_kind(Wanted, Found)


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(
            insert(County).values(county_id="king_wa", friendly_name="King", configuration={}, mapping="", version=1)
        )


def submit(number: int = 21, key: str | None = None, county_id: str = "king_wa") -> Job:
    return jobs.submit(county_id, KIND, Wanted(number=number), caller=CALLER, idempotency_key=key)


def run(job: Job, work: Any, **more: Any) -> dict[str, Any]:
    event = {"county_id": "king_wa", "job_id": str(job.id), "kind": KIND.name, **more}
    return job_task({KIND: work})(event, LambdaContext())


def double(job: RunningJob) -> Found:
    job.progress(1, 1, "doubling")
    return Found(doubled=2 * job.parameters["number"])


def executions() -> list[str]:
    listed = boto3.client("stepfunctions").list_executions(stateMachineArn=settings().jobs_state_machine_arn)
    return [execution["name"] for execution in listed["executions"]]


def test_a_jobs_end_is_counted_once_by_its_kind_and_only_when_it_is_committed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = submit()
    with suppress(RuntimeError), unit_of_work("king_wa") as connection:
        repository.set_status(connection, "king_wa", job.id, "failed")
        raise RuntimeError
    assert _counted(capsys) == []

    run(job, double)
    run(job, double)

    (end,) = _counted(capsys)
    assert (end["kind"], end["service"], end["JobsSucceeded"]) == ("sample", "jobs", [1.0])
    assert (end["county_id"], end["job_id"]) == ("king_wa", str(job.id))
    assert end["JobSeconds"][0] > 0
    assert end["JobsFailedByPlatform"] == [0.0]


@pytest.mark.parametrize(("type_", "by_platform"), [("task-failed", 1.0), ("source-refused", 0.0)])
def test_a_failed_job_counts_against_the_platform_where_it_is_the_platforms_fault(
    type_: str, by_platform: float, capsys: pytest.CaptureFixture[str]
) -> None:
    job = submit()
    with unit_of_work("king_wa") as connection:
        repository.set_status(connection, "king_wa", job.id, "failed", JobError(type=type_, detail=""))
    (end,) = _counted(capsys)
    assert (end["JobsFailed"], end["JobsFailedByPlatform"]) == ([1.0], [by_platform])


def test_every_outage_and_every_end_without_a_word_is_the_platforms_fault() -> None:
    outages = {problem.slug for problem in (ServiceUnavailable, DatabaseUnavailable, DatabaseBusy)}
    ends = {slug for slug, _ in failures._ENDS.values()} - {"aborted"}
    assert outages | {slug for _, slug in aws._OUTAGES.values()} | ends <= PLATFORM_FAULTS


def _counted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The jobs' ends in the log, in the embedded metric format."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line for line in lines if "JobSeconds" in line]


def test_a_job_goes_from_pending_to_its_results() -> None:
    job = submit()
    assert (job.status, executions()) == ("pending", [str(job.id)])

    assert run(job, double) == {"status": "succeeded"}

    done = jobs.get("king_wa", KIND, job.id)
    assert (done.status, done.progress.step, done.error) == ("succeeded", "doubling", None)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert jobs.results("king_wa", KIND, job.id) == Found(doubled=42)


def test_the_same_key_finds_the_same_job_and_starts_it_once() -> None:
    assert submit(key="k").id == submit(key="k").id
    assert len(executions()) == 1
    assert submit(key="other").id != submit(key="k").id


def test_a_key_that_comes_back_with_another_request_is_refused() -> None:
    submit(key="k")
    with pytest.raises(Unprocessable, match="Idempotency-Key"):
        submit(number=22, key="k")


def test_a_job_that_could_not_be_started_is_started_by_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    there = settings().jobs_state_machine_arn
    monkeypatch.setenv("JOBS_STATE_MACHINE_ARN", there + "-gone")
    settings.cache_clear()
    with pytest.raises(ServiceUnavailable):
        submit(key="k")
    monkeypatch.setenv("JOBS_STATE_MACHINE_ARN", there)
    settings.cache_clear()

    job = submit(key="k")

    assert (job.status, executions()) == ("pending", [str(job.id)])


def test_a_task_that_ran_twice_leaves_what_it_left_once() -> None:
    job = submit()
    run(job, double)
    first = jobs.get("king_wa", KIND, job.id)

    def never(_job: RunningJob) -> Found:
        raise AssertionError("a finished job is not run again")

    assert run(job, never) == {"status": "succeeded"}
    assert jobs.get("king_wa", KIND, job.id) == first


def test_a_task_that_died_is_run_again() -> None:
    job = submit()

    def dies(_job: RunningJob) -> Found:
        raise OSError("the line broke")

    with pytest.raises(OSError, match="line broke"):
        run(job, dies)
    assert jobs.get("king_wa", KIND, job.id).status == "running"

    assert run(job, double) == {"status": "succeeded"}


def test_a_problem_fails_the_job_with_its_reason() -> None:
    job = submit()

    def refuses(_job: RunningJob) -> Found:
        raise Unprocessable("Too few sales.", slug="too-few-sales")

    assert run(job, refuses) == {"status": "failed"}
    failed = jobs.get("king_wa", KIND, job.id)
    assert failed.error is not None
    assert (failed.error.type, failed.error.detail) == ("too-few-sales", "Too few sales.")
    with pytest.raises(Conflict):
        jobs.results("king_wa", KIND, job.id)


def test_what_the_state_machine_caught_fails_the_job_without_internals() -> None:
    job = submit()

    run(job, double, failure={"Error": "States.Timeout", "Cause": "secret internals"})

    error = jobs.get("king_wa", KIND, job.id).error
    assert error is not None
    assert error.detail == "A task took longer than it may."


def test_a_job_is_found_only_in_its_county_and_kind() -> None:
    job = submit()
    for county_id, kind, job_id in (
        ("lucas_oh", KIND, job.id),
        ("king_wa", replace(KIND, name="other"), job.id),
        ("king_wa", KIND, uuid4()),
    ):
        with pytest.raises(NotFound):
            jobs.get(county_id, kind, UUID(str(job_id)))


def test_a_county_that_is_not_onboarded_gets_no_job() -> None:
    with pytest.raises(NotFound):
        submit(county_id="nowhere_wa")
