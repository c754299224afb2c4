"""Making, changing, listing and deleting schedules."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from functions.schedules import repository
from functions.schedules.schemas import KINDS, Schedule, SchedulePatch, ScheduleRequest
from functions.schedules.service import clock
from shared import audit
from shared.access import Caller
from shared.counties.schedule_expression import next_tick
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.kind import job_links
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, NotFound, PreconditionFailed, Unprocessable

MAX_SCHEDULES = 50
"""Of one county. A choice: more than an office reads the results of."""


def make(county_id: str, request: ScheduleRequest, *, caller: Caller, idempotency_key: str | None) -> Schedule:
    """Make a schedule of a job's kind and parameters.

    Raises NotFound for a job that is not there, Unprocessable for one of a kind that is not repeated and for a cron
    expression that is not sound, Forbidden where the caller may not submit jobs of the kind, Conflict for too many.
    """
    schedule_id = deterministic_id(county_id, "job_schedule", caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        repository.lock(connection, county_id)
        row = repository.find(connection, county_id, schedule_id)
        if row is not None:
            refuse_reused_key(row.request_digest, digest(request))
            return _schedule(county_id, row)
        job = repository.job(connection, county_id, request.job_id)
        if job is None:
            raise Unprocessable(f"There is no job {request.job_id}.", pointer="/body/job_id", slug="job-unknown")
        if job.kind not in KINDS:
            repeated = ", ".join(sorted(KINDS))
            raise Unprocessable(
                f"Jobs of the kind {job.kind} are not repeated; those of these are: {repeated}.",
                pointer="/body/job_id",
                slug="job-not-repeatable",
            )
        _require_run(county_id, job.kind, caller)
        timezone = request.timezone or repository.timezone(connection, county_id) or "UTC"
        clock.require_sound(request.cron, timezone)
        if repository.count(connection, county_id) >= MAX_SCHEDULES:
            raise Conflict(f"A county has {MAX_SCHEDULES} schedules at most.", slug="too-many-schedules")
        values = {
            "schedule_id": schedule_id,
            "request_digest": digest(request),
            "name": request.name,
            "kind": job.kind,
            "parameters": job.parameters,
            "cron": request.cron,
            "timezone": timezone,
            "enabled": True,
            "version": 1,
            "permissions": " ".join(sorted(caller.permissions_in(county_id))),
            "created_by": caller.username,
        }
        repository.add(connection, county_id, values)
        details = {name: values[name] for name in ("name", "kind", "cron", "timezone")}
        _record(connection, county_id, caller, "schedule.created", schedule_id, details)
        clock.put(county_id, schedule_id, cron=request.cron, timezone=timezone, enabled=True)
        return _schedule(county_id, _found(connection, county_id, schedule_id))


def page(county_id: str, caller: Caller, *, page_size: int, page_token: str | None) -> Page[Schedule]:
    """A page of the schedules of the kinds that the caller may see, the newest first. Raises NotFound."""
    kinds = sorted(name for name, kind in KINDS.items() if caller.may(county_id, kind.view))
    query = ["schedules", county_id, kinds]
    after = decode_token(query, page_token, datetime.fromisoformat, UUID)
    with unit_of_work(county_id) as connection:
        rows = repository.page(
            connection,
            county_id,
            kinds,
            after=None if after is None else (after[0], after[1]),
            limit=page_size + 1,
        )
        if not rows:
            require_onboarded(connection, county_id)
    items = [_schedule(county_id, row) for row in rows[:page_size]]
    last = [items[-1].created_at.isoformat(), str(items[-1].schedule_id)] if len(rows) > page_size else None
    return Page[Schedule](items=items, next_page_token=encode_token(query, last) if last is not None else None)


def read(county_id: str, schedule_id: UUID, caller: Caller) -> Schedule:
    """A schedule. Raises NotFound, Forbidden where the caller may not see jobs of its kind."""
    with unit_of_work(county_id) as connection:
        row = _found(connection, county_id, schedule_id)
    caller.require(KINDS[row.kind].view)
    caller.require_county(county_id, KINDS[row.kind].view)
    return _schedule(county_id, row)


def change(
    county_id: str, schedule_id: UUID, patch: SchedulePatch, *, expected_version: int | None, caller: Caller
) -> Schedule:
    """Change a schedule. One that the platform stopped is started by whoever may submit jobs of its kind, and acts for
    that user from then on. Raises NotFound, Forbidden, PreconditionFailed, Unprocessable.
    """
    sent = patch.model_dump(exclude_unset=True)
    for name, value in sent.items():
        if value is None:
            raise Unprocessable(f"{name} cannot be null.", pointer=f"/body/{name}")
    with unit_of_work(county_id) as connection:
        row = _found(connection, county_id, schedule_id, for_update=True)
        _require_run(county_id, row.kind, caller)
        if expected_version is not None and row.version != expected_version:
            raise PreconditionFailed("The schedule has been changed since you read it.")
        values: dict[str, Any] = {**sent, "version": row.version + 1}
        if sent.get("enabled"):
            values |= {
                "disabled_reason": None,
                "created_by": caller.username,
                "permissions": " ".join(sorted(caller.permissions_in(county_id))),
            }
        timing = {name: values.get(name, getattr(row, name)) for name in ("cron", "timezone", "enabled")}
        clock.require_sound(timing["cron"], timing["timezone"])
        repository.change(connection, county_id, schedule_id, values)
        old = {name: getattr(row, name) for name in sent}
        _record(connection, county_id, caller, "schedule.changed", schedule_id, {"old": old, "new": sent})
        clock.put(county_id, schedule_id, **timing)
        return _schedule(county_id, _found(connection, county_id, schedule_id))


def remove(county_id: str, schedule_id: UUID, *, caller: Caller) -> None:
    """Delete a schedule; the jobs that it made stay. Raises NotFound, Forbidden."""
    with unit_of_work(county_id) as connection:
        row = _found(connection, county_id, schedule_id, for_update=True)
        _require_run(county_id, row.kind, caller)
        repository.remove(connection, county_id, schedule_id)
        _record(connection, county_id, caller, "schedule.deleted", schedule_id, {"name": row.name, "kind": row.kind})
        clock.remove(schedule_id)


def _require_run(county_id: str, kind: str, caller: Caller) -> None:
    caller.require(KINDS[kind].run)
    caller.require_county(county_id, KINDS[kind].run)


def _found(connection: Connection, county_id: str, schedule_id: UUID, *, for_update: bool = False) -> Row[Any]:
    row = repository.find(connection, county_id, schedule_id, for_update=for_update)
    if row is None:
        raise NotFound(f"There is no schedule {schedule_id}.", slug="schedule-not-found")
    return row


def _schedule(county_id: str, row: Row[Any]) -> Schedule:
    values = {name: value for name, value in row._mapping.items() if name in Schedule.model_fields}
    expression = f"cron({row.cron})"
    kind = KINDS[row.kind]
    links = {} if row.last_job_id is None else job_links(county_id, kind.collection, kind.linked, row.last_job_id)
    return Schedule(
        **values,
        next_run_at=next_tick(expression, row.timezone, datetime.now(UTC)) if row.enabled else None,
        links={"last_job" if name == "self" else name: address for name, address in links.items()},
    )


def _record(
    connection: Connection,
    county_id: str,
    caller: Caller,
    action: audit.Action,
    schedule_id: UUID,
    details: dict[str, Any],
) -> None:
    audit.record(connection, county_id, caller.username, action, f"job-schedules/{schedule_id}", details)
