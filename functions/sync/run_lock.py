"""The lock of a county: one active run, by a unique index of the database."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from functions.sync.job_kinds import SYNC
from functions.sync.repository import runs, staging
from functions.sync.schemas.runs import RejectedFilter, ReplayRequest, RollBackRequest, SyncRequest, UploadRun
from shared.counties.configuration import CountyConfiguration
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import digest
from shared.jobs.schemas import Job, JobError, Progress
from shared.problems import Conflict, NotFound

RunRequest = SyncRequest | ReplayRequest | UploadRun | RollBackRequest


def add_run(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    request: RunRequest,
    *,
    submitted_by: str,
    trigger: str,
    execution_arn: str,
    earlier_run: UUID | None = None,
) -> None:
    """Record a run and its job with the execution that is to work on it, which takes the county's lock.

    `earlier_run`: the one that it replays or takes back. Raises NotFound for a county that is not onboarded, Conflict
    where another run of the county is active.
    """
    run = new_run(connection, county_id, run_id, request, trigger, earlier_run)
    add_job(connection, county_id, run_id, request, submitted_by, execution_arn)
    if runs.add(connection, county_id, run):
        return
    active_run = runs.active(connection, county_id)
    if active_run is not None and active_run.stale:
        abandon(connection, county_id, active_run.run_id)
        if runs.add(connection, county_id, run):
            return
    raise active_run_conflict(connection, county_id)


def new_run(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    request: RunRequest,
    trigger: str,
    earlier_run: UUID | None = None,
) -> runs.NewRun:
    """The record of a requested run. Raises NotFound for a county that is not onboarded."""
    match request:
        case ReplayRequest():
            row_filter = request.model_dump(include=set(RejectedFilter.model_fields))
            return runs.NewRun(run_id, "replay", request.validate_only, trigger, earlier_run, row_filter)
        case UploadRun():
            return runs.NewRun(run_id, "upload", True, trigger, upload_id=request.upload_id)
        case RollBackRequest():
            return runs.NewRun(
                run_id,
                "roll_back",
                request.dry_run,
                trigger,
                rolls_back=earlier_run,
                skip_conflicts=request.skip_conflicts,
                approval_reason=request.reason,
            )
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
    """Record the job of a run."""
    job = Job(
        id=run_id,
        kind=SYNC.name,
        status="pending",
        progress=Progress(),
        submitted_by=submitted_by,
        created_at=datetime.now(UTC),
        parameters=request.model_dump(mode="json"),
        links=SYNC.links(county_id, run_id),
    )
    jobs.add(connection, county_id, job, digest(request), execution_arn)


def active_run_conflict(connection: Connection, county_id: str) -> Conflict:
    """The Conflict of a run with the county's active one, which it names."""
    active_run = runs.active(connection, county_id)
    active = f"{active_run.run_id} ({active_run.status}, by {active_run.submitted_by})" if active_run else "another one"
    return Conflict(
        f"{county_id} has a sync run that is not finished: {active}. Wait for it, resume it or cancel it.",
        slug="sync-run-active",
    )


def abandon(connection: Connection, county_id: str, run_id: UUID) -> None:
    """End a run that has been active for longer than any run can be (`runs.STALE_AFTER`)."""
    error = JobError(type="interrupted", detail="The run stopped without a word, and a later one took its place.")
    jobs.set_status(connection, county_id, run_id, "failed", error)
    release(connection, county_id, run_id)


def release(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Drop the staging tables of a run, and release its county."""
    staging.drop(connection, run_id)
    runs.set_run(connection, county_id, run_id, active=False)


def cancel_superseded(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Cancel the other runs that wait for approval: the changes that they show are out of date."""
    for waiting in runs.superseded_by(connection, county_id, run_id):
        error = JobError(type="superseded", detail=f"Run {run_id} was applied while this one waited.")
        jobs.set_status(connection, county_id, waiting, "cancelled", error)
        release(connection, county_id, waiting)
