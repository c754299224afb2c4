"""Fail: the run is marked failed with its reason, and what it staged is dropped."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from functions.sync.repository import partitions, runs
from functions.sync.run_lock import let_go
from shared.aws import client
from shared.db import DatabaseBusy, unit_of_work
from shared.jobs import executions
from shared.jobs import repository as jobs
from shared.jobs.failures import reason_of
from shared.jobs.lifecycle import is_young, worth_a_look
from shared.jobs.schemas import JobError
from shared.settings import settings


def settled(county_id: str, rows: Iterable[runs.RunRow]) -> bool:
    """Whether any of these runs, as they were read, turned out to be left by its execution, and has been failed."""
    return sum(settle(county_id, row) for row in rows if worth_a_look(row, row.run_id)) > 0


def settle_active(county_id: str) -> bool:
    """The same of the run that keeps others of its county from starting."""
    with unit_of_work(county_id) as connection:
        active = runs.active(connection, county_id)
    return active is not None and settle(county_id, active)


def settle(county_id: str, row: runs.RunRow) -> bool:
    """Fail a run whose execution has ended, or is not there any more; False for a run that somebody works on."""
    left = _left(row)
    if left is None:
        return False
    arn, failure = left
    try:
        fail_run(county_id, row.run_id, failure, left_by=arn)
    except DatabaseBusy:  # it is being applied, by the database alone; the next look finds it done or not
        return False
    return True


def is_left(row: runs.RunRow) -> bool:
    """Whether nobody works on a run that has not ended."""
    return _left(row) is not None


def _left(row: runs.RunRow) -> tuple[str, executions.Failure] | None:
    machine = settings().sync_state_machine_arn
    if row.status not in ("pending", "running") or not machine:
        return None
    arn = row.execution_arn or executions.arn_of(machine, str(row.run_id))
    failure = executions.ending(arn)
    return None if failure is None or (failure is executions.GONE and is_young(row)) else (arn, failure)


def fail_run(county_id: str, run_id: UUID, failure: Mapping[str, str], *, left_by: str | None = None) -> JobError:
    """Mark a run as failed, where it has not ended otherwise, and give its county free. Idempotent.

    With `left_by`, the ARN of an execution that has ended, only where no other execution works on the run.
    """
    error = reason_of(failure)
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:  # it was refused before it was written down: another one is active
            return error
        if left_by is not None and not jobs.is_worked_on_by(connection, county_id, run_id, left_by):
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
