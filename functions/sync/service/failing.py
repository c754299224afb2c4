"""Fail: the run is marked failed with its reason, and what it staged is dropped."""

from uuid import UUID

import orjson

from functions.sync.repository import partitions, runs
from functions.sync.service.locking import let_go
from shared.aws import client
from shared.db import unit_of_work
from shared.jobs import repository as jobs
from shared.jobs.schemas import JobError
from shared.problems import Problem
from shared.settings import settings

_CRASHES = {
    "States.Timeout": "A task took longer than it may.",
    "Sandbox.Timedout": "A task took longer than it may.",
    "Runtime.ExitError": "A task stopped, perhaps out of memory.",
    "Lambda.Unknown": "A task stopped, perhaps out of memory.",
}


def fail(county_id: str, run_id: UUID, failure: dict[str, str]) -> JobError:
    """Mark a run as failed, where it has not ended otherwise, and give its county free. Safe to run again."""
    error = reason_of(failure)
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:  # it was refused before it was written down: another one is active
            return error
        # a distributed map only says that a child failed; the partition's own words are the ones that help
        poisoned = partitions.first_error(connection, county_id, run_id)
        if poisoned and error.type == "task-failed":
            error = JobError(type="partition-failed", detail=poisoned)
        jobs.set_status(connection, county_id, run_id, "failed", error)
        if run.applied_at is None and run.status == "awaiting_approval":
            runs.set_run(connection, county_id, run_id, active=False)
        else:
            let_go(connection, county_id, run_id)
    _announce(county_id, run_id, error)
    return error


def reason_of(failure: dict[str, str]) -> JobError:
    """What a state machine's Catch says, as a person reads it. A problem keeps its words, anything else its name."""
    kind = failure.get("Error", "Unknown")
    if kind in _CRASHES:
        return JobError(type="task-failed", detail=_CRASHES[kind])
    slugs = {problem.__name__: problem.slug for problem in _problems(Problem)}
    message = _message(failure.get("Cause", ""))
    if kind in slugs:
        return JobError(type=slugs[kind], detail=message)
    return JobError(type="task-failed", detail=f"A task failed ({kind}); see its log.")


def _problems(problem: type[Problem]) -> list[type[Problem]]:
    return [problem, *(deeper for below in problem.__subclasses__() for deeper in _problems(below))]


def _message(cause: str) -> str:
    try:
        return str(orjson.loads(cause)["errorMessage"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return cause[:500]


def _announce(county_id: str, run_id: UUID, error: JobError) -> None:
    detail = {"county_id": county_id, "run_id": str(run_id), "error": error.model_dump()}
    client("events").put_events(
        Entries=[
            {
                "Source": "terrafusion.sync",
                "DetailType": "SyncFailed",
                "Detail": orjson.dumps(detail).decode(),
                "EventBusName": settings().event_bus_name or "default",
            }
        ]
    )
