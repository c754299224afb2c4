"""Why a property's values are what they are."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from functions.properties.schemas.parcels import VersionAuthor
from shared.schemas import Schema

ValueField = Literal["land_value", "improvement_value", "total_value"]


class SyncCause(Schema):
    """The run that brought a value: from the county's system, from an upload's file, or by rolling another run back."""

    source_system: str
    row_hash: str
    mode: str
    trigger: str
    applied_at: datetime | None
    approval_reason: str | None
    filename: str | None


class ValuationCause(Schema):
    """The approved valuation run that brought a value: its model, who promoted that, and what it estimated.

    Without a model the value is by comparable sales.
    """

    valuation_date: date
    roll_year: int
    model_id: UUID | None
    method: str | None
    promoted_by: str | None
    promotion_reason: str | None
    estimate: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    review: bool | None


class AppealCause(Schema):
    """The decision of an appeal that brought a value."""

    appeal_no: int
    roll_year: int
    outcome: str | None
    reason_code: str | None
    reason: str | None


class ValueStep(Schema):
    """A value from the version on that brought it: whose doing it was, what with, and the event in the audit trail.

    One of `sync`, `valuation` and `appeal` says more, by the author's kind.
    """

    value: Decimal | None
    version: int
    since: datetime
    author: VersionAuthor
    sync: SyncCause | None = None
    valuation: ValuationCause | None = None
    appeal: AppealCause | None = None
    audit_event_id: int | None = None


class StandingOverride(Schema):
    """A decision that stands against the county's system: which value it gave, and which one the system still has."""

    value: Decimal | None
    source_value: Decimal | None
    origin: str
    made_by: str
    made_at: datetime


class ExplainedValue(Schema):
    """A value of the property with its steps, the newest first, and the override that holds it, if one does."""

    field: ValueField
    value: Decimal | None
    override: StandingOverride | None
    steps: list[ValueStep]


class ValueExplanation(Schema):
    """Why a property's land, improvement and total values are what they are."""

    property_id: str
    version: int
    values: list[ExplainedValue]
