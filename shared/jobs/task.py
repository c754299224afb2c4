"""Running a job: the Lambda entry of a module's tasks."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
from aws_lambda_powertools import Logger
from pydantic import BaseModel
from sqlalchemy import Connection

from shared import storage
from shared.db import unit_of_work
from shared.jobs import repository
from shared.jobs.failures import reason_of
from shared.jobs.kind import AnyJobKind
from shared.jobs.lifecycle import results_key
from shared.jobs.schemas import JobError, JobStatus, Progress
from shared.observability import lambda_entry
from shared.problems import Conflict, NotFound, Problem, ServiceUnavailable

PROGRESS_SECONDS = 1.0

_logger = Logger(service="jobs")


class RunningJob:
    """A job while it runs: what was asked for, and where to say how far it is."""

    def __init__(self, county_id: str, job_id: UUID, parameters: dict[str, Any], submitted_by: str) -> None:
        self.county_id = county_id
        self.job_id = job_id
        self.parameters = parameters
        self.submitted_by = submitted_by
        self._said_at = 0.0

    def progress(self, done: int, total: int | None, step: str) -> None:
        """Say how far the job is; written at most once a second, and always at the end of a step.

        Raises Conflict where somebody has cancelled the job.
        """
        now = time.monotonic()
        if now - self._said_at < PROGRESS_SECONDS and done != total:
            return
        self.announce(done, total, step)

    def announce(self, done: int, total: int | None, step: str) -> None:
        """Say which step begins that may take minutes: written always."""
        self._said_at = time.monotonic()
        with unit_of_work(self.county_id) as connection:
            progress = Progress(done=done, total=total, step=step).model_dump()
            goes_on = repository.set_progress(connection, self.county_id, self.job_id, progress)
        if not goes_on:
            raise self._ended()

    def commit(self, connection: Connection) -> None:
        """Say, in the transaction that changes what the job is to change, that it does.

        From its commit on the job is not cancelled any more. Say no progress until then: the transaction holds the job.
        Raises Conflict where somebody has cancelled the job.
        """
        if not repository.set_committed(connection, self.county_id, self.job_id):
            raise self._ended()

    def _ended(self) -> Conflict:
        return Conflict(f"The job {self.job_id} does not run any more.", slug="job-ended")

    def key(self, name: str) -> str:
        """The key of an object of this job's in the data bucket."""
        return storage.county_key(self.county_id, "jobs", str(self.job_id), name)


Work = Callable[[RunningJob], BaseModel]


def job_task(work_of_kind: Mapping[AnyJobKind, Work]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler that runs jobs of these kinds.

    Event: {county_id, job_id, kind}; with `failure` {Error, Cause} it marks the job failed instead (what the
    state machine's Catch does when the task itself could not: out of memory, out of time). A problem fails the
    job with its slug; anything else is raised for the state machine, which tries again what may help.
    """

    work_of_name = {kind.name: work for kind, work in work_of_kind.items()}

    @lambda_entry
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        county_id, name, job_id = event["county_id"], event["kind"], UUID(event["job_id"])
        if "failure" in event:
            fail(county_id, job_id, reason_of(event["failure"]))
            return {"status": "failed"}
        job = begin(county_id, name, job_id)
        return finish(job, work_of_name[name]) if isinstance(job, RunningJob) else {"status": job}

    return handler


def begin(county_id: str, name: str, job_id: UUID) -> RunningJob | JobStatus:
    """The job, running now; or how it has ended. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = repository.find(connection, county_id, name, job_id)
        runs = row is not None and repository.set_running(connection, county_id, job_id)
    if row is None:
        raise NotFound(f"{county_id} has no {name} {job_id}.")
    if runs:
        return RunningJob(county_id, job_id, row.parameters, row.submitted_by)
    status: JobStatus = row.status
    return status


def finish(job: RunningJob, work: Work) -> dict[str, Any]:
    """Do the work, keep its outcome as the job's results, and end the job. A problem fails it with its slug.

    Raises ServiceUnavailable, for the state machine to try again.
    """
    try:
        outcome = work(job)
    except ServiceUnavailable:
        raise
    except Problem as problem:
        fail(job.county_id, job.job_id, problem)
        return {"status": "failed"}
    body = orjson.dumps(outcome.model_dump(mode="json"))
    storage.put(results_key(job.county_id, job.job_id), body, "application/json")
    with unit_of_work(job.county_id) as connection:
        repository.set_status(connection, job.county_id, job.job_id, "succeeded")
    return {"status": "succeeded"}


def fail(county_id: str, job_id: UUID, reason: JobError | Problem) -> None:
    """End a job as failed; one that has ended keeps how it ended."""
    if isinstance(reason, Problem):
        _logger.warning("job failed", county_id=county_id, job_id=str(job_id), slug=reason.slug)
        reason = JobError(type=reason.slug, detail=reason.detail)
    with unit_of_work(county_id) as connection:
        repository.set_status(connection, county_id, job_id, "failed", reason)
