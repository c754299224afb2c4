"""Checks over a roll, what they find, and waivers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from functions.roll.schemas.rolls import RollYear
from shared.counties.roll_settings import CheckSeverity
from shared.schemas import RequestSchema, Schema

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class RollCheck(Schema):
    """A check over a roll and what it found last: null where it has not run. `waived` of its rows have a waiver.

    `blocks`: no roll is certified that has rows of it without a waiver. `owner` is the role that looks at them.
    """

    name: str
    title: str
    severity: CheckSeverity
    owner: str
    rows: int | None
    waived: int | None
    ran_at: datetime | None
    ran_by: str | None


class RollCheckRow(Schema):
    """A row that a check finds; `row_key` is an assessment's id, or that of what else the check is about."""

    row_key: str
    property_id: str | None
    detail: str
    waived: bool


class RollCheckRequest(RequestSchema):
    """The roll to check."""

    roll_year: RollYear


class RollCheckRun(Schema):
    """The outcome of the checks over a roll: whether it can be certified, and each check."""

    roll_year: RollYear
    certifiable: bool
    checks: list[RollCheck]


class WaiverRequest(RequestSchema):
    """A reason why a check, or one row of it (`row_key`), does not keep the roll from being certified."""

    check_name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    row_key: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    reason: Reason


class Waiver(Schema):
    """A waiver. One that was withdrawn stays on record."""

    waiver_id: UUID
    check_name: str
    row_key: str | None = Field(description="null: every row of the check")
    reason: str
    waived_by: str
    waived_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
