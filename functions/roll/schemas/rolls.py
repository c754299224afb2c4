"""Assessment rolls as the API shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.schemas import RequestSchema, Schema

RollStatus = Literal["open", "closed"]
RollYear = Annotated[int, Field(ge=1900, le=2200)]


class RollAsClosed(Schema):
    """Totals of a roll when it was closed."""

    assessments: int
    total_value: Decimal
    assessed_value: Decimal


class Roll(Schema):
    """The roll of one year: how many parcels it has and what they are worth together.

    A roll is open until somebody closes it; `changed_by` and `changed_at` say who closed it or opened it again.
    `as_closed` stays whatever is corrected since; with the corrections' differences it comes to what the roll is now.
    """

    roll_year: RollYear
    status: RollStatus
    assessments: int
    total_value: Decimal
    changed_by: str | None
    changed_at: datetime | None
    reason: str | None
    as_closed: RollAsClosed | None
    corrections: int = Field(description="how often the closed roll was corrected since it was closed")
    version: int = Field(description="how often the roll was closed or opened; the number of its ETag")


class CloseRoll(RequestSchema):
    """Why a roll is closed, where there is more to say than that it is finished."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)] | None = None


class ReopenRoll(RequestSchema):
    """Why a closed roll is opened again."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class RollCorrection(Schema):
    """A numbered correction of a closed roll: whose decision, why, how many rows, and what the roll came to."""

    correction_no: int
    sync_run_id: UUID | None
    made_by: str
    made_at: datetime
    reason: str
    rows: int
    total_before: Decimal
    total_after: Decimal
