"""Executions of the sync machine, started for a run."""

from datetime import UTC, datetime
from uuid import UUID

from functions.sync.run_lock import release
from shared.db import unit_of_work
from shared.jobs import JobError, executions
from shared.jobs import repository as jobs
from shared.problems import ServiceUnavailable
from shared.settings import settings


def start_machine(county_id: str, run_id: UUID, name: str, **options: str) -> None:
    """Start an execution for a run; one that cannot be started fails the run, unless it waits for approval.

    Raises ServiceUnavailable.
    """
    try:
        execution_input = {"county_id": county_id, "run_id": str(run_id), **options}
        executions.start(settings().sync_state_machine_arn, name, execution_input)
    except ServiceUnavailable as error:
        detail = "The sync could not be started; resume it in a moment."
        with unit_of_work(county_id) as connection:
            if "resume_at" not in options:
                jobs.set_status(connection, county_id, run_id, "failed", JobError(type="not-started", detail=detail))
                release(connection, county_id, run_id)
        raise ServiceUnavailable(detail) from error


def execution_arn(name: str) -> str:
    """The ARN of the machine's execution of this name."""
    return executions.arn_of(settings().sync_state_machine_arn, name)


def timestamp() -> str:
    """The present time as a part of an execution's name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
