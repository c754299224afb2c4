"""Roll-back of applied runs: each is a run of its own, which restores the versions before."""

from uuid import UUID

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.failure import fail_orphaned_active_run
from functions.sync.job_kinds import SYNC
from functions.sync.repository import runs
from functions.sync.run_lock import add_run
from functions.sync.schemas.runs import RollBackRequest
from functions.sync.service.machine import execution_arn, start_machine
from functions.sync.service.pages import require_run
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs import Job
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.jobs.lifecycle import read as read_job
from shared.problems import Conflict

_TRIGGER = "roll_back"


def roll_back(
    county_id: str, run_id: UUID, request: RollBackRequest, *, caller: Caller, idempotency_key: str | None
) -> Job:
    """Start the roll-back of an applied run. A run that has been rolled back answers with the run that did it.

    Raises NotFound, Conflict for a run that was not applied or is a roll-back itself, and while another run is active.
    """
    roll_back_id = deterministic_id(county_id, SYNC.name, caller, idempotency_key)
    fail_orphaned_active_run(county_id)
    with unit_of_work(county_id) as connection:
        jobs.take_turns(connection, roll_back_id)
        existing = jobs.find(connection, county_id, SYNC.name, roll_back_id)
        if existing is not None:
            refuse_reused_key(existing.request_digest, digest(request))
        else:
            run = _require_applied(connection, county_id, run_id)
            if run.rolled_back_by is not None:
                return read_job(county_id, SYNC, run.rolled_back_by)
            add_run(
                connection,
                county_id,
                roll_back_id,
                request,
                submitted_by=caller.username,
                trigger=_TRIGGER,
                execution_arn=execution_arn(str(roll_back_id)),
                earlier_run=run_id,
            )
            details = {"rolls_back": str(run_id), **request.model_dump()}
            subject = SYNC.subject(roll_back_id)
            audit.record(connection, county_id, caller.username, "sync.roll_back_requested", subject, details)
    job = read_job(county_id, SYNC, roll_back_id)
    if job.status == "pending":
        start_machine(county_id, roll_back_id, str(roll_back_id), trigger=_TRIGGER)
    return job


def _require_applied(connection: Connection, county_id: str, run_id: UUID) -> RunState:
    run = require_run(runs.find(connection, county_id, run_id), county_id, run_id)
    if run.applied_at is None:
        raise Conflict("The run was not applied: there is nothing to roll back.", slug="sync-run-not-applied")
    if run.rolls_back is not None:
        raise Conflict(
            "The run is a roll-back itself: what it took back comes again by a sync or an upload.",
            slug="is-a-roll-back",
        )
    return run
