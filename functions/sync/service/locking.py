"""One run of a county at a time: the database refuses the second."""

from uuid import UUID

from sqlalchemy import Connection

from functions.sync.repository import partitions, runs, staging
from shared.county_configuration import SyncMode
from shared.jobs import repository as jobs
from shared.jobs.schemas import JobError
from shared.problems import Conflict


def take_lock(
    connection: Connection, county_id: str, run_id: UUID, *, mode: SyncMode, validate_only: bool, trigger: str
) -> None:
    """Insert a run as the county's active one. Raises Conflict, naming the run that is active."""
    values = {"mode": mode, "validate_only": validate_only, "trigger": trigger}
    if runs.add(connection, county_id, run_id, **values):  # type: ignore[arg-type]
        return
    other = runs.active(connection, county_id)
    if other is not None and other.stale:
        abandon(connection, county_id, other.run_id)
        if runs.add(connection, county_id, run_id, **values):  # type: ignore[arg-type]
            return
    raise in_the_way(connection, county_id)


def in_the_way(connection: Connection, county_id: str) -> Conflict:
    """The Conflict that names the active run."""
    other = runs.active(connection, county_id)
    which = f"{other.run_id} ({other.status}, by {other.submitted_by})" if other else "another one"
    return Conflict(
        f"{county_id} has a sync run that is not finished: {which}. Wait for it, resume it or cancel it.",
        slug="sync-run-active",
    )


def abandon(connection: Connection, county_id: str, run_id: UUID) -> None:
    """End a run that stopped without a word, long ago."""
    error = JobError(type="interrupted", detail="The run stopped without a word, and a later one took its place.")
    jobs.set_status(connection, county_id, run_id, "failed", error)
    let_go(connection, county_id, run_id)


def let_go(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Drop what a run has staged, and give the county free."""
    staging.drop(connection, run_id)
    partitions.forget_unfinished(connection, county_id, run_id)
    runs.set_run(connection, county_id, run_id, active=False)


def supersede_waiting(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Cancel the runs that wait for approval: what they show is no longer what would be changed."""
    for waiting in runs.waiting(connection, county_id):
        if waiting != run_id:
            error = JobError(type="superseded", detail=f"Run {run_id} was applied while this one waited.")
            jobs.set_status(connection, county_id, waiting, "cancelled", error)
            let_go(connection, county_id, waiting)
