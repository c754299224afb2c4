"""A schedule that is due: its job is submitted for the user who created it."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from aws_lambda_powertools import Logger
from sqlalchemy import Row

from functions.schedules import repository
from functions.schedules.schemas import KINDS, JobParameters
from functions.schedules.service import clock
from shared import audit, jobs, user_pool
from shared.access import Caller, Permission
from shared.counties.user_permissions import permissions_of
from shared.db import unit_of_work
from shared.jobs import JobKind
from shared.jobs.kind import NoResults
from shared.jobs.schemas import JobError
from shared.problems import CountyRateLimited, Problem, ServiceUnavailable

_logger = Logger(service="schedules")


def start(county_id: str, schedule_id: UUID, scheduled_at: datetime) -> UUID | None:
    """Submit the job of a schedule for a tick, once a tick however often it is called; None where none is to be made.

    A schedule whose user has lost a permission since, or is gone, is stopped and says why. Raises ServiceUnavailable
    and CountyRateLimited, for Lambda to try again.
    """
    with unit_of_work(county_id) as connection:
        row = repository.find(connection, county_id, schedule_id)
    if row is None:
        clock.remove(schedule_id)
        return None
    if not row.enabled:
        return None
    caller = _caller(county_id, row)
    missing = frozenset(map(Permission, row.permissions.split())) - (
        frozenset() if caller is None else caller.permissions_in(county_id)
    )
    if caller is None or missing:
        reason = f"{row.created_by} no longer has the permissions with which the schedule was made."
        _stop(county_id, row, reason)
        return None
    return _submit(county_id, row, caller, scheduled_at)


def _submit(county_id: str, row: Row[Any], caller: Caller, scheduled_at: datetime) -> UUID | None:
    kind = KINDS[row.kind]
    declared = JobKind(
        row.kind, kind.collection, "job_id", JobParameters, NoResults, run=kind.run, view=kind.view, linked=kind.linked
    )
    job_id = uuid5(row.schedule_id, scheduled_at.isoformat())
    outcome: dict[str, Any] = {"last_run_at": scheduled_at}
    try:
        jobs.submit(county_id, declared, JobParameters(row.parameters), caller=caller, job_id=job_id)
        outcome |= {"last_job_id": job_id, "last_error": None}
    except Problem as problem:
        outcome["last_error"] = JobError(type=problem.slug, detail=problem.detail).model_dump()
        _logger.warning("scheduled job not submitted", county_id=county_id, slug=problem.slug)
        if isinstance(problem, CountyRateLimited | ServiceUnavailable):
            raise
        return None
    finally:
        with unit_of_work(county_id) as connection:
            repository.change(connection, county_id, row.schedule_id, outcome)
    return job_id


def _caller(county_id: str, row: Row[Any]) -> Caller | None:
    """The user for whom a schedule acts, with today's permissions; None for one who is gone, disabled or elsewhere."""
    user = user_pool.find(row.created_by)
    if user is None or not user.enabled or county_id not in user.counties:
        return None
    allowed = permissions_of(user.roles, [county_id])
    scopes = " ".join(sorted(permission.scope for permission in allowed.anywhere))
    return Caller.from_claims({"sub": user.subject, "username": user.username, "scope": scopes, **allowed.claims()})


def _stop(county_id: str, row: Row[Any], reason: str) -> None:
    with unit_of_work(county_id) as connection:
        repository.change(connection, county_id, row.schedule_id, {"enabled": False, "disabled_reason": reason})
        subject = f"job-schedules/{row.schedule_id}"
        audit.record(connection, county_id, "terrafusion", "schedule.stopped", subject, {"reason": reason})
        clock.put(county_id, row.schedule_id, cron=row.cron, timezone=row.timezone, enabled=False)
