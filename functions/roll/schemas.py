"""Assessment rolls as the API shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.schemas import Schema

RollStatus = Literal["open", "closed"]
RollYear = Annotated[int, Field(ge=1900, le=2200)]


class Roll(Schema):
    """The roll of one year: how many parcels it has and what they are worth together.

    A roll is open until somebody closes it; `changed_by` and `changed_at` say who closed it or opened it again.
    """

    roll_year: RollYear
    status: RollStatus
    assessments: int
    total_value: Decimal
    changed_by: str | None
    changed_at: datetime | None
    reason: str | None
    version: int = Field(description="how often the roll was closed or opened; the number of its ETag")


class CloseRoll(Schema):
    """Why a roll is closed, where there is more to say than that it is finished."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)] | None = None


class ReopenRoll(Schema):
    """Why a closed roll is opened again."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
