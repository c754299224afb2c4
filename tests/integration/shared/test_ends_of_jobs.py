"""Jobs that are cancelled, left by their execution, or gone on with, on a real database; Step Functions by moto."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import insert, text

from functions.jobs.tasks import settle
from shared import jobs
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.engine import make_engine
from shared.db.models import County
from shared.jobs import Job, RunningJob, job_task, lifecycle
from shared.jobs import executions as step_functions
from shared.problems import Conflict, NotFound, Problem, ServiceUnavailable
from shared.schemas import Schema
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext, claims_of
from tests.job_cloud import job_cloud, sample_kind

__all__ = ["job_cloud"]

COUNTY = "king_wa"
CALLER = Caller.from_claims(claims_of())


class Wanted(Schema):
    """The request of a test's job."""

    number: int = 21


class Found(Schema):
    """The results of a test's job."""

    doubled: int


KIND = sample_kind(Wanted, Found)


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(0))
    monkeypatch.setattr(lifecycle, "CHECK_INTERVAL_S", 0)
    monkeypatch.setattr(lifecycle, "_LOCK_TIMEOUT_S", 1)
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(County).values(county_id=COUNTY, friendly_name="King", configuration={}, mapping="", version=1)
        )


def submit(key: str | None = None) -> Job:
    return jobs.submit(COUNTY, KIND, Wanted(), caller=CALLER, idempotency_key=key)


def get(job: Job) -> Job:
    return jobs.get(COUNTY, KIND, job.id)


def run(job: Job, work: Any) -> dict[str, Any]:
    event = {"county_id": COUNTY, "job_id": str(job.id), "kind": KIND.name}
    return job_task({KIND: work})(event, LambdaContext())


def double(job: RunningJob) -> Found:
    return Found(doubled=2 * job.parameters["number"])


def running() -> Job:
    """A job whose task has died and is to be run again."""

    def dies(_job: RunningJob) -> Found:
        raise OSError("the line broke")

    job = submit()
    with pytest.raises(OSError, match="line broke"):
        run(job, dies)
    assert get(job).status == "running"
    return job


def execution_of(job: Job) -> str:
    with unit_of_work(COUNTY) as connection:
        arn: str = connection.scalar(text("SELECT execution_arn FROM jobs WHERE job_id = :id"), {"id": job.id})
        return arn


def status_of(execution: str) -> str:
    return str(boto3.client("stepfunctions").describe_execution(executionArn=execution)["status"])


def stop(execution: str) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=execution)


def forget_execution(job: Job) -> None:
    """Let a job's execution be one that is not there, as after a restart that lost it."""
    gone = execution_of(job) + "-gone"
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE jobs SET execution_arn = :arn WHERE job_id = :id"), {"arn": gone, "id": job.id})


def executions() -> int:
    machine = settings().jobs_state_machine_arn
    return len(boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])


# --- left by its execution


def test_a_job_whose_execution_was_stopped_is_told_as_failed_once_somebody_looks() -> None:
    job = running()
    stop(execution_of(job))

    left = get(job)

    assert left.error is not None
    assert (left.status, left.error.type) == ("failed", "aborted")
    assert left.finished_at is not None


def test_a_job_whose_execution_is_not_there_any_more_is_told_as_failed() -> None:
    job = running()
    forget_execution(job)
    left = get(job)
    assert left.error is not None
    assert (left.status, left.error.type) == ("failed", "interrupted")


def test_a_young_job_and_one_whose_execution_runs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    job, young = running(), running()
    assert get(job).status == "running"
    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(minutes=1))
    forget_execution(young)
    assert get(young).status == "running"


def test_step_functions_is_not_asked_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "CHECK_INTERVAL_S", 30)
    job = submit()
    assert get(job).status == "pending"
    forget_execution(job)
    assert get(job).status == "pending"


def test_step_functions_that_does_not_answer_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = running()
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE jobs SET execution_arn = 'no arn at all'"))
    assert get(job).status == "running"


@pytest.mark.parametrize(
    ("status", "reason"), [("TIMED_OUT", "timed-out"), ("ABORTED", "aborted"), ("FAILED", "task-failed")]
)
def test_eventbridge_tells_of_an_execution_that_left_its_job(status: str, reason: str) -> None:
    job = running()
    assert settle(ended(job, status), None) == {"settled": True}
    left = get(job)
    assert left.error is not None
    assert (left.status, left.error.type) == ("failed", reason)


def test_an_execution_that_ended_its_job_or_works_on_it_no_more_leaves_it_as_it_is() -> None:
    done = submit()
    run(done, double)
    assert settle(ended(done, "FAILED"), None) == {"settled": False}
    assert get(done).status == "succeeded"

    job = running()
    earlier = ended(job, "TIMED_OUT")
    stop(execution_of(job))
    jobs.resume(COUNTY, KIND, job.id)
    assert settle(earlier, None) == {"settled": False}
    assert get(job).status == "pending"


def ended(job: Job, status: str) -> dict[str, Any]:
    """EventBridge's event of the end of a job's execution."""
    arn = execution_of(job)
    given = json.dumps({"county_id": COUNTY, "job_id": str(job.id), "kind": KIND.name})
    detail = {"executionArn": arn, "name": arn.rpartition(":")[2], "status": status, "input": given, "error": None}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


# --- gone on with


def test_a_job_that_nobody_works_on_is_gone_on_with_by_another_execution() -> None:
    job = running()
    before = execution_of(job)
    stop(before)

    resumed = jobs.resume(COUNTY, KIND, job.id)

    assert (resumed.status, resumed.error) == ("pending", None)
    assert execution_of(job) != before
    assert status_of(execution_of(job)) == "RUNNING"
    assert run(job, double) == {"status": "succeeded"}


def test_a_job_that_is_under_way_is_not_gone_on_with() -> None:
    job = running()
    with pytest.raises(Conflict, match="under way") as refused:
        jobs.resume(COUNTY, KIND, job.id)
    assert (refused.value.slug, executions()) == ("job-under-way", 1)


def test_a_job_that_could_not_be_gone_on_with_stays_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    job = running()
    stop(execution_of(job))
    there = settings().jobs_state_machine_arn
    assert get(job).status == "failed"
    for machine, failed in ((there + "-gone", True), (there, False)):
        monkeypatch.setenv("JOBS_STATE_MACHINE_ARN", machine)
        settings.cache_clear()
        if failed:
            with pytest.raises(ServiceUnavailable):
                jobs.resume(COUNTY, KIND, job.id)
            assert get(job).status == "failed"
        else:
            assert jobs.resume(COUNTY, KIND, job.id).status == "pending"


def test_a_job_that_was_written_down_and_never_started_is_started_by_the_same_request() -> None:
    job = submit("k")
    forget_execution(job)
    left = get(job)
    assert left.error is not None
    assert (left.status, left.error.type) == ("failed", "not-started")

    again = submit("k")

    assert (again.id, again.status) == (job.id, "pending")
    assert status_of(execution_of(job)) == "RUNNING"


def test_another_key_starts_another_job_whatever_became_of_the_first() -> None:
    first = submit("one")
    stop(execution_of(first))
    second = submit("two")
    assert second.id != first.id
    assert run(second, double) == {"status": "succeeded"}


def resume_in_ten_threads(once: Callable[[], Job]) -> list[str]:
    """The answers to ten concurrent callers: a job's id, or the reason for none."""

    def answered(_: int) -> str:
        try:
            return str(once().id)
        except Problem as problem:
            return problem.slug

    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(answered, range(10)))


@pytest.fixture
def slow_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second between naming an execution and starting it; a job is young for a minute."""
    start = step_functions.start

    def slowly(*given: Any) -> None:
        time.sleep(0.1)
        start(*given)

    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(minutes=1))
    monkeypatch.setattr(step_functions, "start", slowly)


def left_long_ago(key: str | None = None) -> Job:
    """A job of an hour ago that has failed because its execution was never started."""
    job = submit(key)
    forget_execution(job)
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE jobs SET created_at = now() - interval '1 hour'"))
    assert get(job).status == "failed"
    return job


def test_of_ten_who_go_on_with_a_failed_job_at_once_one_does_and_the_others_hear_it(slow_starts: None) -> None:
    job = left_long_ago()
    before = executions()

    answers = resume_in_ten_threads(lambda: jobs.resume(COUNTY, KIND, job.id))

    assert sorted(answers) == sorted([str(job.id), *["job-under-way"] * 9])
    assert (get(job).status, executions()) == ("pending", before + 1)
    assert status_of(execution_of(job)) == "RUNNING"


def test_of_ten_who_send_the_request_of_a_job_that_was_never_started_each_gets_it(slow_starts: None) -> None:
    job = left_long_ago("k")
    before = executions()

    assert resume_in_ten_threads(lambda: submit("k")) == [str(job.id)] * 10

    assert (get(job).status, executions()) == ("pending", before + 1)


# --- cancelled


def test_a_cancelled_job_stops_its_execution_and_its_task_changes_nothing() -> None:
    job = submit()

    def cancelled_meanwhile(running: RunningJob) -> Found:
        jobs.cancel(COUNTY, KIND, job.id, CALLER)
        return double(running)

    run(job, cancelled_meanwhile)

    left = get(job)
    assert left.error is not None
    assert (left.status, left.error.type, left.error.detail) == ("cancelled", "cancelled", "By somebody.")
    assert status_of(execution_of(job)) == "ABORTED"
    with pytest.raises(Conflict, match="cancelled"):
        jobs.results(COUNTY, KIND, job.id)
    with pytest.raises(Conflict, match="cancelled"):
        jobs.resume(COUNTY, KIND, job.id)
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'sample.cancelled'")) == 1


def test_the_task_of_a_cancelled_job_notices_when_it_says_how_far_it_is() -> None:
    job = submit()
    went_on: list[bool] = []

    def works(running: RunningJob) -> Found:
        jobs.cancel(COUNTY, KIND, job.id, CALLER)
        running.progress(1, 1, "reading")
        went_on.append(True)
        return double(running)

    run(job, works)
    assert went_on == []
    assert get(job).status == "cancelled"


def test_cancelling_again_is_as_good_and_what_has_ended_is_not_cancelled() -> None:
    job = submit()
    assert [jobs.cancel(COUNTY, KIND, job.id, CALLER).status for _ in range(2)] == ["cancelled"] * 2

    done = submit()
    run(done, double)
    with pytest.raises(Conflict, match="succeeded") as refused:
        jobs.cancel(COUNTY, KIND, done.id, CALLER)
    assert refused.value.slug == "job-ended"
    with pytest.raises(NotFound):
        jobs.cancel(COUNTY, KIND, uuid4(), CALLER)


def test_what_a_job_commits_is_committed_and_not_cancelled_or_the_other_way_round() -> None:
    def commits(running: RunningJob) -> Found:
        with unit_of_work(COUNTY) as connection:
            running.commit(connection)
            connection.execute(text("UPDATE counties SET version = version + 1"))
        with pytest.raises(Conflict) as refused:
            jobs.cancel(COUNTY, KIND, running.job_id, CALLER)
        assert refused.value.slug == "job-committed"
        return double(running)

    def is_too_late(running: RunningJob) -> Found:
        jobs.cancel(COUNTY, KIND, running.job_id, CALLER)
        with unit_of_work(COUNTY) as connection:
            connection.execute(text("UPDATE counties SET version = version + 10"))
            running.commit(connection)
        return double(running)

    assert run(submit(), commits) == {"status": "succeeded"}
    late = submit()
    run(late, is_too_late)

    assert get(late).status == "cancelled"
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(text("SELECT version FROM counties")) == 2


def test_a_job_that_is_writing_what_it_changes_is_not_cancelled_halfway(database: MigratedDatabase) -> None:
    job = running()
    owner = make_engine(database.owner_url)
    with owner.connect() as writing:
        writing.execute(text("SELECT set_config('app.county_id', 'king_wa', true)"))
        writing.execute(text("SELECT 1 FROM jobs WHERE job_id = :id FOR UPDATE"), {"id": job.id})
        with pytest.raises(Conflict) as busy:
            jobs.cancel(COUNTY, KIND, job.id, CALLER)
    owner.dispose()
    assert busy.value.slug == "job-busy"
    assert get(job).status == "running"
