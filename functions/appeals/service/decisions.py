"""Decisions and stipulations: the values of an appeal, brought to the roll."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from aws_lambda_powertools import Logger
from sqlalchemy import Connection, text

from functions.appeals.domain.decision import agreed_values, decided_values, outcome_of
from functions.appeals.domain.transitions import Action, next_status
from functions.appeals.repository import appeals, roll_values
from functions.appeals.repository.appeals import AppealRow
from functions.appeals.schemas import (
    Appeal,
    AppealDecided,
    DecisionRequest,
    Ground,
    Outcome,
    StipulationRequest,
    Values,
)
from functions.appeals.service.proceedings import expected, move
from functions.appeals.service.views import get, reference_of
from shared import audit, events
from shared.access import Caller
from shared.db import lock_timeout, unit_of_work
from shared.precedence.overrides import Decision
from shared.problems import Conflict, Forbidden, ServiceUnavailable
from shared.rolls import closing

_logger = Logger(service="appeals")

_LOCK_TIMEOUT_S = 5
"""For a sync or an approval that writes to the roll to end."""


def decide(
    county_id: str, appeal_id: UUID, request: DecisionRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Decide an appeal, and bring a value that changes to the roll.

    Raises NotFound, Forbidden for who filed it, Conflict, PreconditionFailed, Unprocessable.
    """

    def settle(before: Values) -> tuple[Outcome, Values]:
        return request.outcome, decided_values(request, before)

    return _settle(
        county_id, appeal_id, "decide", settle, request.reason_code, request.reason, expected_version, caller
    )


def stipulate(
    county_id: str, appeal_id: UUID, request: StipulationRequest, *, expected_version: int | None, caller: Caller
) -> Appeal:
    """Settle an appeal by the values that the office and the petitioner have agreed on. Raises as `decide`."""

    def settle(before: Values) -> tuple[Outcome, Values]:
        after = agreed_values(request.values, before)
        return outcome_of(before, after), after

    reason_code, reason = request.reason_code, request.reason
    return _settle(county_id, appeal_id, "stipulate", settle, reason_code, reason, expected_version, caller)


def _settle(
    county_id: str,
    appeal_id: UUID,
    action: Action,
    settle: Callable[[Values], tuple[Outcome, Values]],
    reason_code: Ground,
    reason: str,
    expected_version: int | None,
    caller: Caller,
) -> Appeal:
    busy = Conflict("The roll is being written to; try again in a moment.", slug="roll-busy")
    with unit_of_work(county_id) as connection:
        row = expected(connection, county_id, appeal_id, expected_version)
        next_status(row.status, action)
        if row.filed_by == caller.username:
            raise Forbidden("You filed this appeal: somebody else decides it.", slug="own-appeal")
        with lock_timeout(connection, _LOCK_TIMEOUT_S, busy):
            closing.lock_roll(connection, county_id, row.roll_year)
            assessed = _require_assessment(connection, county_id, row)
        outcome, after = settle(assessed.values)
        correction_no = None
        if after != assessed.values:
            correction_no = _write(connection, county_id, row, assessed, after, reason, caller)
        values = {
            "outcome": outcome,
            "reason_code": reason_code,
            "reason": reason,
            "decided_by": caller.username,
            "decided_at": appeals.now(connection),
            "correction_no": correction_no,
            "property_class": assessed.property_class or row.property_class,
            **{f"before_{part}": value for part, value in assessed.values.model_dump().items()},
            **{f"decided_{part}": value for part, value in after.model_dump().items()},
        }
        details: dict[str, Any] = {
            "outcome": outcome,
            "roll_year": row.roll_year,
            "property_id": row.property_id,
            "reason_code": reason_code,
            "reason": reason,
            "correction_no": correction_no,
        }
        old, new = assessed.values.model_dump(mode="json"), after.model_dump(mode="json")
        move(connection, county_id, row, action, values, details, caller, old=old, new=new)
    appeal = get(county_id, appeal_id, caller)
    _announce(county_id, appeal)
    return appeal


def _announce(county_id: str, appeal: Appeal) -> None:
    """Put a decision on the bus; where that cannot be, the decision stands, and the audit trail has it."""
    if appeal.outcome is None or appeal.before is None or appeal.decided is None:
        return
    try:
        events.publish(
            AppealDecided(
                county_id=county_id,
                appeal_id=appeal.id,
                reference=appeal.reference,
                roll_year=appeal.roll_year,
                property_id=appeal.property_id,
                status=appeal.status,
                outcome=appeal.outcome,
                before=appeal.before,
                decided=appeal.decided,
                correction_no=appeal.correction_no,
            )
        )
    except ServiceUnavailable as problem:
        _logger.warning("decision not announced", appeal_id=str(appeal.id), cause=problem.detail)


def _require_assessment(connection: Connection, county_id: str, row: AppealRow) -> roll_values.AssessedProperty:
    """The assessment of an appealed property, locked. Raises Conflict where there is none, or are several."""
    parcel = appeals.parcel(connection, county_id, row.property_id)
    found = roll_values.assessments_of(connection, county_id, row.property_id, row.roll_year, for_update=True)
    if parcel is None or parcel.retired_at is not None or not found:
        raise Conflict(
            f"The property {row.property_id} is not on the roll of {row.roll_year} any more.", slug="not-on-roll"
        )
    if len(found) > 1:
        raise Conflict(
            f"The property {row.property_id} has {len(found)} assessments in {row.roll_year}: which of them is meant is"
            " not known here.",
            slug="several-assessments",
        )
    return found[0]


def _write(
    connection: Connection,
    county_id: str,
    row: AppealRow,
    assessed: roll_values.AssessedProperty,
    after: Values,
    reason: str,
    caller: Caller,
) -> int | None:
    """Bring decided values to the roll; on a closed one as a numbered supplement, whose number is returned."""
    correction_no = None
    if closing.closed_rolls(connection, county_id, [row.roll_year]):
        why = f"Appeal {reference_of(row)}: {reason}"
        correction_no = closing.begin_correction(
            connection, county_id, row.roll_year, by=caller.username, reason=why, rows=1, sync_run_id=None
        )
    decision = Decision(row.appeal_id, "appeal", caller.username)
    roll_values.write(connection, county_id, assessed, row.property_id, row.roll_year, after, decision)
    if correction_no is not None:
        connection.execute(text(closing.END_CORRECTIONS))
        details = {"correction_no": correction_no, "appeal_id": str(row.appeal_id), "rows": 1, "reason": reason}
        subject = f"rolls/{row.roll_year}"
        audit.record(connection, county_id, caller.username, "roll.corrected", subject, details)
    return correction_no
