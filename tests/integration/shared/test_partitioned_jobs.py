"""Jobs that are cut into partitions, on a real database; S3 and Step Functions by moto."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from sqlalchemy import insert

from shared import jobs
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.models import County
from shared.jobs import Job, RunningJob
from shared.jobs.partitioned import finish_task, partition_task, plan_task
from shared.problems import Conflict, Unprocessable
from shared.schemas import Schema
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext, claims_of
from tests.job_cloud import Steps, job_cloud, partitions_of, run_partitioned, sample_kind

__all__ = ["job_cloud"]

CALLER = Caller.from_claims(claims_of())


class Wanted(Schema):
    """The request of a test's job."""

    upto: int


class Letter(Schema):
    """One partition."""

    letter: str


class Found(Schema):
    """The results of a test's job."""

    letters: str


KIND = sample_kind(Wanted, Found)


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(
            insert(County).values(county_id="king_wa", friendly_name="King", configuration={}, mapping="", version=1)
        )


def submitted() -> Job:
    return jobs.submit("king_wa", KIND, Wanted(upto=3), caller=CALLER)


def steps(done: list[str], work: Callable[[str], None] = lambda _: None) -> Steps:
    """A job of three partitions, `a` to `c`, that notes which were done."""

    def plan(job: RunningJob) -> list[Letter]:
        return [Letter(letter="abc"[number]) for number in range(job.parameters["upto"])]

    def one(_job: RunningJob, _number: int, item: Letter) -> None:
        work(item.letter)
        done.append(item.letter)

    def finish(_job: RunningJob) -> Found:
        return Found(letters="".join(sorted(done)))

    return Steps(KIND.name, plan_task(KIND, plan), partition_task(KIND, Letter, one), finish_task(KIND, finish))


def test_every_partition_is_done_and_counted_and_then_the_job_ends() -> None:
    job, done = submitted(), list[str]()

    assert run_partitioned(steps(done), "king_wa", str(job.id)) == {"status": "succeeded"}

    ended = jobs.get("king_wa", KIND, job.id)
    assert (ended.status, ended.progress.done, ended.progress.total) == ("succeeded", 3, 3)
    assert jobs.results("king_wa", KIND, job.id) == Found(letters="abc")


def test_a_job_that_failed_goes_on_with_the_partitions_that_are_still_to_be_done() -> None:
    job, done = submitted(), list[str]()

    def breaks(letter: str) -> None:
        if letter == "b":
            raise OSError("the line broke")

    run_partitioned(steps(done, breaks), "king_wa", str(job.id))
    failed = jobs.get("king_wa", KIND, job.id)
    assert (failed.status, failed.progress.done) == ("failed", 1)

    resumed = jobs.resume("king_wa", KIND, job.id)

    assert (resumed.status, resumed.error) == ("pending", None)
    machine = settings().jobs_state_machine_arn
    assert len(boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 2
    run_partitioned(steps(done), "king_wa", str(job.id))
    assert done == ["a", "b", "c"]
    assert jobs.results("king_wa", KIND, job.id) == Found(letters="abc")


def test_what_was_planned_once_stands_for_every_later_attempt() -> None:
    job, done = submitted(), list[str]()
    event = {"county_id": "king_wa", "job_id": str(job.id), "kind": KIND.name}
    first = steps(done).plan(event, LambdaContext())

    def another(_job: RunningJob) -> list[Letter]:
        raise AssertionError("a plan that is there is not made again")

    again = plan_task(KIND, another)(event, LambdaContext())

    assert first == again
    assert [item["number"] for item in partitions_of(again)] == [1, 2, 3]


def test_a_job_does_not_end_while_a_partition_is_missing() -> None:
    job, done = submitted(), list[str]()
    made = steps(done)
    event: dict[str, Any] = {"county_id": "king_wa", "job_id": str(job.id), "kind": KIND.name}
    first, second, _ = partitions_of(made.plan(event, LambdaContext()))
    for item in (first, second, second):
        made.partition({**event, "partition": item}, LambdaContext())

    with pytest.raises(Conflict, match="2 of 3 partitions"):
        made.finish(event, LambdaContext())

    assert done == ["a", "b"]
    assert jobs.get("king_wa", KIND, job.id).status == "running"


def test_a_problem_of_a_partition_is_the_reason_of_the_job() -> None:
    job, done = submitted(), list[str]()

    def refuses(_letter: str) -> None:
        raise Unprocessable("This letter has no value.", slug="no-value")

    run_partitioned(steps(done, refuses), "king_wa", str(job.id))

    failed = jobs.get("king_wa", KIND, job.id)
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", "no-value")


def test_a_job_that_has_succeeded_or_is_under_way_is_not_resumed() -> None:
    job, done = submitted(), list[str]()
    with pytest.raises(Conflict, match="under way"):
        jobs.resume("king_wa", KIND, job.id)
    run_partitioned(steps(done), "king_wa", str(job.id))

    with pytest.raises(Conflict, match="succeeded"):
        jobs.resume("king_wa", KIND, job.id)


def test_partitions_of_a_cancelled_job_are_not_worked_on() -> None:
    job, done = submitted(), list[str]()
    made = steps(done)
    event: dict[str, Any] = {"county_id": "king_wa", "job_id": str(job.id), "kind": KIND.name}
    first, second, _ = partitions_of(made.plan(event, LambdaContext()))
    made.partition({**event, "partition": first}, LambdaContext())

    jobs.cancel("king_wa", KIND, job.id, CALLER)

    with pytest.raises(Conflict, match="ended"):
        made.partition({**event, "partition": second}, LambdaContext())
    made.plan({**event, "failure": {"Error": "PartitionFailed", "Cause": ""}}, LambdaContext())
    assert done == ["a"]
    assert made.finish(event, LambdaContext()) == {"status": "cancelled"}
    assert jobs.get("king_wa", KIND, job.id).status == "cancelled"
