"""The way of an appeal up to its decision: review, hearing, withdrawal."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.appeals.domain.transitions import Action, next_level, next_status
from functions.appeals.render.calendar import HearingEntry, calendar_of
from functions.appeals.repository import appeals
from functions.appeals.repository.appeals import AppealRow
from functions.appeals.schemas import Appeal, HearingRequest, NoteRequest, WithdrawalRequest
from functions.appeals.service.views import get, reference_of, require_appeal
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.problems import Conflict, PreconditionFailed

_AUDITED: dict[Action, audit.ResourceAction] = {
    "review": "appeal.reviewed",
    "schedule": "appeal.scheduled",
    "hear": "appeal.heard",
    "decide": "appeal.decided",
    "stipulate": "appeal.stipulated",
    "withdraw": "appeal.withdrawn",
}


def review(
    county_id: str, appeal_id: UUID, request: NoteRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Begin the office's informal review. Raises NotFound, Conflict, PreconditionFailed."""
    return _move(county_id, appeal_id, "review", {}, request.model_dump(), expected_version, caller)


def schedule(
    county_id: str, appeal_id: UUID, request: HearingRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Schedule a hearing, or move it. Raises NotFound, Conflict, PreconditionFailed."""
    with unit_of_work(county_id) as connection:
        row = expected(connection, county_id, appeal_id, expected_version)
        values = {
            "hearing_at": request.hearing_at,
            "hearing_minutes": request.minutes,
            "hearing_place": request.hearing_place,
            "hearing_sequence": row.hearing_sequence if row.hearing_at is None else row.hearing_sequence + 1,
        }
        move(connection, county_id, row, "schedule", values, request.model_dump(mode="json"), caller)
    return get(county_id, appeal_id, caller)


def hear(
    county_id: str, appeal_id: UUID, request: NoteRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Note that a hearing was held. Raises NotFound, Conflict, PreconditionFailed."""
    return _move(county_id, appeal_id, "hear", {}, request.model_dump(), expected_version, caller)


def withdraw(
    county_id: str, appeal_id: UUID, request: WithdrawalRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Withdraw an appeal; the value stays as it is. Raises NotFound, Conflict, PreconditionFailed."""
    values = {"reason": request.reason}
    return _move(county_id, appeal_id, "withdraw", values, values, expected_version, caller)


def hearing_calendar(county_id: str, appeal_id: UUID) -> str:
    """The hearing of an appeal as an iCalendar file. Raises NotFound, Conflict where none was scheduled."""
    with unit_of_work(county_id) as connection:
        row = require_appeal(connection, county_id, appeal_id)
        if row.hearing_at is None:
            raise Conflict("No hearing of this appeal was scheduled.", slug="hearing-not-scheduled")
        settled_before = row.status in ("stipulated", "withdrawn")
        return calendar_of(
            HearingEntry(
                appeal_id=row.appeal_id,
                summary=f"Hearing of appeal {reference_of(row)}, property {row.property_id}",
                begins_at=row.hearing_at,
                minutes=row.hearing_minutes,
                place=row.hearing_place,
                status="CANCELLED" if settled_before else "CONFIRMED",
                sequence=row.hearing_sequence + settled_before,
                written_at=appeals.now(connection),
            )
        )


def expected(connection: Connection, county_id: str, appeal_id: UUID, expected_version: int | None) -> AppealRow:
    """An appeal, locked, in the version that the caller has read. Raises NotFound, PreconditionFailed."""
    row = require_appeal(connection, county_id, appeal_id, for_update=True)
    if expected_version not in (None, row.version):
        raise PreconditionFailed(f"The appeal is at version {row.version} by now; read it again, then decide.")
    return row


def move(
    connection: Connection,
    county_id: str,
    row: AppealRow,
    action: Action,
    values: dict[str, Any],
    details: dict[str, Any],
    caller: Caller,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Move an appeal to its next state, and record that with what else it changes (`old` and `new`).

    Raises Conflict where the action is not taken in its state.
    """
    state = {"status": next_status(row.status, action), "level": next_level(row.level, action)}
    appeals.change(connection, county_id, row.appeal_id, values | state | {"version": row.version + 1})
    audit.record(
        connection,
        county_id,
        caller.username,
        _AUDITED[action],
        f"appeals/{row.appeal_id}",
        {"reference": reference_of(row), **details},
        old={"status": row.status, "level": row.level} | (old or {}),
        new=state | (new or {}),
    )


def _move(
    county_id: str,
    appeal_id: UUID,
    action: Action,
    values: dict[str, Any],
    details: dict[str, Any],
    expected_version: int | None,
    caller: Caller,
) -> Appeal:
    with unit_of_work(county_id) as connection:
        row = expected(connection, county_id, appeal_id, expected_version)
        move(connection, county_id, row, action, values, details, caller)
    return get(county_id, appeal_id, caller)
