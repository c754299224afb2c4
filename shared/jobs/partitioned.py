"""Jobs that are cut into partitions: Plan -> Distributed Map over the partitions -> Finish.

A module gives what each step does; here is what they have in common. The list of partitions is an object in S3, which
partitions are done is told by `job_partitions`, and every step may run twice: a partition that is done is passed over.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel

from shared import storage
from shared.db import unit_of_work
from shared.jobs import repository
from shared.jobs.failures import reason_of
from shared.jobs.kind import AnyJobKind
from shared.jobs.schemas import Progress
from shared.jobs.task import RunningJob, Work, begin, fail, finish
from shared.observability import lambda_entry
from shared.problems import Conflict, NotFound, Problem, ServiceUnavailable
from shared.settings import settings

TaskHandler = Callable[[dict[str, Any], Any], dict[str, Any]]
Item = TypeVar("Item", bound=BaseModel)
_LIST = "partitions.json"


def plan_task(kind: AnyJobKind, plan: Callable[[RunningJob], Sequence[BaseModel]]) -> TaskHandler:
    """The Lambda handler that cuts a job into partitions.

    Event: {county_id, job_id, kind}; with `failure` {Error, Cause} it marks the job failed instead. Answer:
    {outcome: "proceed" | "ended", partitions: {bucket, key}}. What `plan` has listed stands for every later attempt, so
    number n is the same partition in each. A problem fails the job with its slug, and the machine ends.
    """

    @lambda_entry
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        county_id, job_id = event["county_id"], UUID(event["job_id"])
        key = storage.county_key(county_id, "jobs", str(job_id), _LIST)
        answer = {"partitions": {"bucket": settings().data_bucket, "key": key}}
        if "failure" in event:
            fail(county_id, job_id, reason_of(event["failure"]))
            return {"outcome": "ended", **answer}
        job = begin(county_id, kind.name, job_id)
        if not isinstance(job, RunningJob):
            return {"outcome": "ended", **answer}
        try:
            total = _listed(key)
            if total is None:
                items = plan(job)
                total = len(items)
                storage.put(key, _as_list(items), "application/json")
        except ServiceUnavailable:
            raise
        except Problem as problem:
            fail(county_id, job_id, problem)
            return {"outcome": "ended", **answer}
        _say_progress(job, total)
        return {"outcome": "proceed", **answer}

    return handler


def partition_task(
    kind: AnyJobKind, item_type: type[Item], work: Callable[[RunningJob, int, Item], None]
) -> TaskHandler:
    """The Lambda handler of one partition.

    Event: {county_id, job_id, kind, partition: {number, item}}. `work` gets the partition's number and item, and leaves
    the same behind however often it runs. A problem fails the job with its slug, and the map with it.
    """

    @lambda_entry
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        county_id, job_id = event["county_id"], UUID(event["job_id"])
        number = int(event["partition"]["number"])
        job = begin(county_id, kind.name, job_id)
        if not isinstance(job, RunningJob):
            raise Conflict(f"The job {job_id} has ended; its partitions are not worked on any more.", slug="job-ended")
        with unit_of_work(county_id) as connection:
            if repository.is_done(connection, county_id, job_id, number):
                return {"status": "done"}
        try:
            work(job, number, item_type.model_validate(event["partition"]["item"]))
        except ServiceUnavailable:
            raise
        except Problem as problem:
            fail(county_id, job_id, problem)
            raise
        with unit_of_work(county_id) as connection:
            repository.set_done(connection, county_id, job_id, number)
        _say_progress(job, None)
        return {"status": "done"}

    return handler


def finish_task(kind: AnyJobKind, work: Work) -> TaskHandler:
    """The Lambda handler that ends a job of which every partition is done; its results are what `work` returns.

    Event: {county_id, job_id, kind}. Raises Conflict where a partition has not been done.
    """

    @lambda_entry
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        county_id, job_id = event["county_id"], UUID(event["job_id"])
        job = begin(county_id, kind.name, job_id)
        if not isinstance(job, RunningJob):
            return {"status": job}
        planned = _listed(job.key(_LIST))
        with unit_of_work(county_id) as connection:
            done = repository.count_done(connection, county_id, job_id)
        if done != planned:
            raise Conflict(f"{done} of {planned} partitions are done.", slug="partitions-missing")
        return finish(job, work)

    return handler


def _listed(key: str) -> int | None:
    """Count of the partitions that an earlier attempt has listed; None where there was none."""
    try:
        return len(orjson.loads(storage.get(key)))
    except NotFound:
        return None


def _as_list(items: Sequence[BaseModel]) -> bytes:
    return orjson.dumps([{"number": n, "item": item.model_dump(mode="json")} for n, item in enumerate(items, start=1)])


def _say_progress(job: RunningJob, total: int | None) -> None:
    """Store the count of finished partitions as the job's progress; `total` None keeps the total stored before."""
    with unit_of_work(job.county_id) as connection:
        done = repository.count_done(connection, job.county_id, job.job_id)
        planned_total = total if total is not None else repository.planned_total(connection, job.county_id, job.job_id)
        progress = Progress(done=done, total=planned_total, step="partitions").model_dump()
        repository.set_progress(connection, job.county_id, job.job_id, progress)
