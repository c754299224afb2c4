"""One run of a county at a time: the database refuses the second."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from functions.sync.repository import runs, staging
from functions.sync.schemas import RejectedFilter, ReplayRequest, SyncRequest
from shared.counties.configuration import CountyConfiguration
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import digest, links_of
from shared.jobs.schemas import Job, JobError, Progress
from shared.problems import Conflict, NotFound


def add_run(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    request: SyncRequest | ReplayRequest,
    *,
    submitted_by: str,
    trigger: str,
    execution_arn: str,
    replay_of: UUID | None = None,
) -> None:
    """Write a run and its job down with the execution that is to do it, and take the county's lock with it.

    Raises NotFound for a county that is not onboarded, Conflict where another run of the county is active.
    """
    run = new_run(connection, county_id, run_id, request, trigger, replay_of)
    add_job(connection, county_id, run_id, request, submitted_by, execution_arn)
    if runs.add(connection, county_id, run):
        return
    other = runs.active(connection, county_id)
    if other is not None and other.stale:
        abandon(connection, county_id, other.run_id)
        if runs.add(connection, county_id, run):
            return
    raise in_the_way(connection, county_id)


def new_run(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    request: SyncRequest | ReplayRequest,
    trigger: str,
    replay_of: UUID | None = None,
) -> runs.NewRun:
    """The run that a request asks for. Raises NotFound for a county that is not onboarded."""
    if isinstance(request, ReplayRequest):
        wanted = request.model_dump(include=set(RejectedFilter.model_fields))
        return runs.NewRun(run_id, "replay", request.validate_only, trigger, replay_of, wanted)
    county = runs.county(connection, county_id)
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    mode = request.mode or CountyConfiguration.model_validate(county[0]).data_ingestion_settings.mode
    return runs.NewRun(run_id, mode, request.validate_only, trigger)


def add_job(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    request: BaseModel,
    submitted_by: str,
    execution_arn: str | None = None,
) -> None:
    """Write the job of a run down."""
    job = Job(
        id=run_id,
        kind="sync",
        status="pending",
        progress=Progress(),
        submitted_by=submitted_by,
        created_at=datetime.now(UTC),
        parameters=request.model_dump(mode="json"),
        links=links_of(county_id, "sync", run_id),
    )
    jobs.add(connection, county_id, job, digest(request), execution_arn)


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
    runs.set_run(connection, county_id, run_id, active=False)


def supersede_waiting(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Cancel the runs that wait for approval: what they show is no longer what would be changed."""
    for waiting in runs.waiting(connection, county_id):
        if waiting != run_id:
            error = JobError(type="superseded", detail=f"Run {run_id} was applied while this one waited.")
            jobs.set_status(connection, county_id, waiting, "cancelled", error)
            let_go(connection, county_id, waiting)
