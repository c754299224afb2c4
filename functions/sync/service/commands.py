"""Commands on runs: start, replay, approve, cancel, resume."""

from uuid import UUID

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.failure import fail_if_orphaned, fail_orphaned_active_run, is_orphaned
from functions.sync.job_kinds import SYNC
from functions.sync.repository import quarantine, runs
from functions.sync.repository.runs import RunRow
from functions.sync.run_lock import active_run_conflict, add_run, release
from functions.sync.schemas.runs import RejectedFilter, ReplayRequest, SyncRequest, SyncRun
from functions.sync.service.machine import execution_arn, start_machine, timestamp
from functions.sync.service.pages import require_run
from functions.sync.service.rejected_rows import require_known_rule
from functions.sync.service.run_views import get
from functions.sync.staged_data import require_data_unchanged, require_no_later_changes
from shared import audit
from shared.access import Caller
from shared.db import lock_timeout, unit_of_work
from shared.jobs import Job, JobError, executions
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.jobs.lifecycle import read as read_job
from shared.problems import Conflict, ServiceUnavailable

_LOCK_TIMEOUT_S = 5
"""Seconds that a command waits for a run that a task has locked. A choice, well below the 29 of API Gateway."""


def start(county_id: str, request: SyncRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Record a run and start it. The same request with the same key returns the run that it made before.

    Raises NotFound, Unprocessable for a mode that is not available, Conflict naming the run that is active.
    """
    run_id = deterministic_id(county_id, SYNC.name, caller, idempotency_key)
    fail_orphaned_active_run(county_id)
    with unit_of_work(county_id) as connection:
        jobs.take_turns(connection, run_id)
        existing = jobs.find(connection, county_id, SYNC.name, run_id)
        if existing is not None:
            refuse_reused_key(existing.request_digest, digest(request))
        else:
            add_run(
                connection,
                county_id,
                run_id,
                request,
                submitted_by=caller.username,
                trigger="request",
                execution_arn=execution_arn(str(run_id)),
            )
            audit.record(
                connection, county_id, caller.username, "sync.requested", SYNC.subject(run_id), request.model_dump()
            )
    job = read_job(county_id, SYNC, run_id)
    if job.status == "pending":
        start_machine(county_id, run_id, str(run_id), trigger="request")
    return job


def replay(county_id: str, run_id: UUID, request: ReplayRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Map a run's open rows in quarantine again with the county's present mapping, as a run of its own.

    The source is not read. Raises NotFound, Conflict for a run that was not applied or has no such row open, and while
    another run is active.
    """
    require_known_rule(request.rule, request.field)
    replay_id = deterministic_id(county_id, SYNC.name, caller, idempotency_key)
    fail_orphaned_active_run(county_id)
    with unit_of_work(county_id) as connection:
        jobs.take_turns(connection, replay_id)
        existing = jobs.find(connection, county_id, SYNC.name, replay_id)
        if existing is not None:
            refuse_reused_key(existing.request_digest, digest(request))
        else:
            _require_replayable(connection, county_id, run_id, request)
            add_run(
                connection,
                county_id,
                replay_id,
                request,
                submitted_by=caller.username,
                trigger="replay",
                execution_arn=execution_arn(str(replay_id)),
                earlier_run=run_id,
            )
            details = {"replay_of": str(run_id), **request.model_dump()}
            audit.record(
                connection, county_id, caller.username, "sync.replay_requested", SYNC.subject(replay_id), details
            )
    job = read_job(county_id, SYNC, replay_id)
    if job.status == "pending":
        start_machine(county_id, replay_id, str(replay_id), trigger="replay")
    return job


def _require_replayable(connection: Connection, county_id: str, run_id: UUID, row_filter: RejectedFilter) -> None:
    run = require_run(runs.find(connection, county_id, run_id), county_id, run_id)
    if not run.reads_source:
        raise Conflict(
            "The run did not read the county's source: mend the file and upload it again.", slug="nothing-to-replay"
        )
    if run.applied_at is None:
        raise Conflict(
            "The run was not applied, so the next one judges its rows anew; there is nothing to replay.",
            slug="sync-run-not-applied",
        )
    if not quarantine.page(connection, county_id, run_id, row_filter, is_open=True, after=0, limit=1):
        raise Conflict("The run has no such row open in quarantine.", slug="nothing-to-replay")


def approve(county_id: str, run_id: UUID, caller: Caller, reason: str | None = None) -> SyncRun:
    """Approve a waiting run: exactly the changes that were shown are applied. An upload is approved as one.

    Raises NotFound, and Conflict where the run does not wait, another one is active, or the data has moved on.
    """
    with unit_of_work(county_id) as connection:
        run = require_run(runs.find(connection, county_id, run_id), county_id, run_id)
    if run.upload_id is not None:
        raise Conflict(f"The run compares upload {run.upload_id}: approve that.", slug="run-of-an-upload")
    approve_run(county_id, run_id, caller, reason, "sync.approved")
    return get(county_id, run_id)


def approve_run(county_id: str, run_id: UUID, caller: Caller, reason: str | None, action: audit.Action) -> None:
    """Approve a waiting run, with `action` in the audit trail. Raises as `approve`."""
    execution = f"{run_id}-approve-{timestamp()}"
    fail_orphaned_active_run(county_id)
    with unit_of_work(county_id) as connection:
        run = lock_run(connection, county_id, run_id)
        if run.approved_by == caller.username and run.status in ("running", "succeeded"):
            return  # the request was repeated
        if run.status != "awaiting_approval":
            raise Conflict(f"The run is {run.status}: it does not wait for approval.", slug="not-awaiting-approval")
        require_data_unchanged(connection, run, lock=False)
        require_no_later_changes(run, run.guard_findings)
        if not runs.reopen(connection, county_id, run_id):
            raise active_run_conflict(connection, county_id)
        runs.set_run(connection, county_id, run_id, approved_by=caller.username, approval_reason=reason)
        jobs.set_execution(connection, county_id, run_id, execution_arn(execution))
        audit.record(
            connection,
            county_id,
            caller.username,
            action,
            SYNC.subject(run_id),
            {"reason": reason},
            old={"status": run.status},
            new={"status": "running"},
        )
    try:
        start_machine(county_id, run_id, execution, resume_at="apply")
    except ServiceUnavailable:
        with unit_of_work(county_id) as connection:
            runs.set_run(connection, county_id, run_id, active=False, approved_by=None, approval_reason=None)
            jobs.set_status(connection, county_id, run_id, "awaiting_approval")
        raise


def cancel(county_id: str, run_id: UUID, caller: Caller) -> SyncRun:
    """Cancel a run that has not been applied; tasks of it that still run notice and stop.

    Raises NotFound, and Conflict where the run has been applied or has ended.
    """
    with unit_of_work(county_id) as connection:
        run = lock_run(connection, county_id, run_id)
        if run.status == "cancelled":
            return get(county_id, run_id)
        if run.applied_at is not None or run.status not in ("pending", "running", "awaiting_approval"):
            raise Conflict(f"The run is {run.status}: there is nothing to cancel.", slug="sync-run-ended")
        jobs.set_status(
            connection, county_id, run_id, "cancelled", JobError(type="cancelled", detail=f"By {caller.username}.")
        )
        release(connection, county_id, run_id)
        old, new = {"status": run.status}, {"status": "cancelled"}
        audit.record(
            connection, county_id, caller.username, SYNC.cancellation, SYNC.subject(run_id), {}, old=old, new=new
        )
        row = jobs.find(connection, county_id, SYNC.name, run_id)
    if row is not None and row.execution_arn and run.status != "awaiting_approval":
        executions.stop(row.execution_arn)
    return get(county_id, run_id)


def resume(county_id: str, run_id: UUID, caller: Caller) -> SyncRun:
    """Resume a run that failed or is orphaned; partitions that are done are not read again.

    Raises NotFound, and Conflict where the run has ended otherwise or is under way, or another one is active.
    """
    execution = f"{run_id}-resume-{timestamp()}"
    with unit_of_work(county_id) as connection:
        active = runs.active(connection, county_id)
    # the staged rows of an orphan are kept, unless another run is to be resumed
    orphaned = active is not None and is_orphaned(active)
    if active is not None and orphaned and active.run_id != run_id:
        fail_if_orphaned(county_id, active)
    with unit_of_work(county_id) as connection:
        run = lock_run(connection, county_id, run_id)
        if run.status in ("pending", "running") and not (
            orphaned and _is_still_orphaned(connection, county_id, active)
        ):
            raise Conflict(f"The run is {run.status}: it is under way.", slug="sync-run-under-way")
        if run.status not in ("failed", "running", "pending"):
            raise Conflict(f"The run is {run.status}: there is nothing to resume.", slug="sync-run-ended")
        if not runs.reopen(connection, county_id, run_id):
            raise active_run_conflict(connection, county_id)
        jobs.set_execution(connection, county_id, run_id, execution_arn(execution))
        audit.record(connection, county_id, caller.username, "sync.resumed", SYNC.subject(run_id), {})
    start_machine(county_id, run_id, execution)
    return get(county_id, run_id)


def _is_still_orphaned(connection: Connection, county_id: str, run: RunRow | None) -> bool:
    """True where no other execution has taken up the run since it was read."""
    return run is not None and jobs.is_worked_on_by(
        connection, county_id, run.run_id, run.execution_arn or execution_arn(str(run.run_id))
    )


def lock_run(connection: Connection, county_id: str, run_id: UUID) -> RunState:
    """A run, locked until the transaction ends. Raises NotFound, Conflict while a task has it locked."""
    busy = Conflict("The run is being compared with the data, or applied; try again in a moment.", slug="sync-run-busy")
    with lock_timeout(connection, _LOCK_TIMEOUT_S, busy):
        return require_run(runs.find(connection, county_id, run_id, for_update=True), county_id, run_id)
