"""End a run as failed: by the machine's Fail state, or for an orphan, whose execution has ended without ending it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from functions.sync.repository import partitions, runs
from functions.sync.run_lock import release
from functions.sync.schemas.runs import SyncFailed
from shared import events
from shared.db import DatabaseBusy, unit_of_work
from shared.jobs import executions
from shared.jobs import repository as jobs
from shared.jobs.failures import reason_of
from shared.jobs.lifecycle import is_due_for_check, may_not_exist_yet
from shared.jobs.schemas import JobError
from shared.settings import settings


def fail_orphaned(county_id: str, rows: Iterable[runs.RunRow]) -> bool:
    """Fail those of these runs that are orphaned; False where none was."""
    return sum(fail_if_orphaned(county_id, row) for row in rows if is_due_for_check(row, row.run_id)) > 0


def fail_orphaned_active_run(county_id: str) -> bool:
    """Fail the county's active run, which keeps others from starting, where it is orphaned; False where it is not."""
    with unit_of_work(county_id) as connection:
        active = runs.active(connection, county_id)
    return active is not None and fail_if_orphaned(county_id, active)


def fail_if_orphaned(county_id: str, row: runs.RunRow) -> bool:
    """Fail a run whose execution has ended or does not exist; False for a run with a running execution."""
    end = _execution_end(row)
    if end is None:
        return False
    arn, failure = end
    try:
        fail_run(county_id, row.run_id, failure, ended_execution=arn)
    except DatabaseBusy:  # the database is applying it without an execution; a later call finds it done or not
        return False
    return True


def is_orphaned(row: runs.RunRow) -> bool:
    """True for a run that has not ended, and whose execution has."""
    return _execution_end(row) is not None


def _execution_end(row: runs.RunRow) -> tuple[str, executions.Failure] | None:
    """ARN and failure of the execution of a run that has not ended, where that execution has; else None."""
    machine = settings().sync_state_machine_arn
    if row.status not in ("pending", "running") or not machine:
        return None
    arn = row.execution_arn or executions.arn_of(machine, str(row.run_id))
    failure = executions.ending(arn)
    return None if failure is None or (failure is executions.GONE and may_not_exist_yet(row)) else (arn, failure)


def fail_run(
    county_id: str, run_id: UUID, failure: Mapping[str, str], *, ended_execution: str | None = None
) -> JobError:
    """Mark a run as failed, where it has not ended otherwise, and release its county. Idempotent.

    With `ended_execution`, the ARN of an execution that has ended, only where no other execution works on the run.
    """
    error = reason_of(failure)
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:  # refused before it was recorded: another one is active
            return error
        if ended_execution is not None and not jobs.is_worked_on_by(connection, county_id, run_id, ended_execution):
            return error
        # a distributed map reports only that a child failed; the partition's own message says why
        partition_error = partitions.first_error(connection, county_id, run_id)
        if partition_error and error.type == "task-failed":
            error = JobError(type="partition-failed", detail=partition_error)
        jobs.set_status(connection, county_id, run_id, "failed", error)
        if run.applied_at is None and run.status == "awaiting_approval":
            runs.set_run(connection, county_id, run_id, active=False)
        else:
            release(connection, county_id, run_id)
    _announce(county_id, run_id, error)
    return error


def _announce(county_id: str, run_id: UUID, error: JobError) -> None:
    events.publish(SyncFailed(county_id=county_id, run_id=run_id, error=error))
