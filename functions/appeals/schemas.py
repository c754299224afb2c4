"""Requests and answers of appeals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from shared.events import Event
from shared.schemas import CountyId, RequestSchema, Schema
from shared.uploads.announced_file import Sha256, SignedAddress
from shared.uploads.document_types import DocumentType

AppealStatus = Literal["filed", "informal", "scheduled", "heard", "decided", "stipulated", "withdrawn"]
Level = Literal["informal", "hearing"]
Outcome = Literal["sustained", "reduced", "raised"]
Ground = Literal["market_value", "equity", "characteristics", "classification", "damage", "clerical_error", "other"]
"""Why a value is appealed, and why it is decided so: what similar property sold for, how similar property is assessed,
what the office knows of the property, its class or use, destruction, a slip of the pen."""

MAX_AMOUNT = Decimal("999999999999.99")
MAX_DOCUMENT_BYTES = 25 << 20
"""A choice: an appraisal with photographs; mail systems send as much."""
MAX_DOCUMENTS = 50
"""Of one appeal. A choice: a hearing reads no more."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
PropertyId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RollYear = Annotated[int, Field(ge=1900, le=2200)]
Amount = Annotated[Decimal, Field(ge=0, le=MAX_AMOUNT, max_digits=14, decimal_places=2)]


class AppealRequest(RequestSchema):
    """An appeal as an owner has filed it. `filed_on` is the day on which it was received or postmarked.

    After the deadline it needs a `good_cause`, and is marked late.
    """

    property_id: PropertyId
    roll_year: RollYear
    petitioner: Name
    petitioner_contact: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None
    ) = None
    ground: Ground
    statement: Text
    requested_value: Amount | None = None
    filed_on: date
    good_cause: Text | None = None


class NoteRequest(RequestSchema):
    """A note for the audit trail."""

    note: Text | None = None


class WithdrawalRequest(RequestSchema):
    """Why an appeal is withdrawn."""

    reason: Text


class HearingRequest(RequestSchema):
    """A hearing: when it begins, how long it takes, and where it is."""

    hearing_at: AwareDatetime
    minutes: Annotated[int, Field(ge=5, le=600)] = 30
    hearing_place: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class DecidedValues(RequestSchema):
    """Values of a decision. `total_value` is the sum of the others, which may be left out where the roll has none."""

    land_value: Amount | None = None
    improvement_value: Amount | None = None
    total_value: Amount

    @model_validator(mode="after")
    def _adds_up(self) -> "DecidedValues":
        if (self.land_value is None) != (self.improvement_value is None):
            raise ValueError("give both land_value and improvement_value, or neither")
        if self.land_value is not None and self.land_value + (self.improvement_value or 0) != self.total_value:
            raise ValueError("land_value and improvement_value add up to total_value")
        return self


class DecisionRequest(RequestSchema):
    """A decision: the value is sustained, or reduced or raised to other values."""

    outcome: Outcome
    values: DecidedValues | None = None
    reason_code: Ground
    reason: Text


class StipulationRequest(RequestSchema):
    """An agreement of the office with the petitioner on values."""

    values: DecidedValues
    reason_code: Ground
    reason: Text


class Values(Schema):
    """Land, improvements and total."""

    land_value: Decimal | None
    improvement_value: Decimal | None
    total_value: Decimal | None


class AppealSummary(Schema):
    """An appeal in a list. `reference` is its number in its roll year.

    Of a property with a confidential owner the petitioner is shown to who may edit properties.
    """

    id: UUID
    reference: str
    roll_year: int
    property_id: str
    property_class: str | None
    petitioner: str | None
    status: AppealStatus
    level: Level
    ground: Ground
    requested_value: Decimal | None
    filed_on: date
    deadline: date | None
    late: bool
    hearing_at: datetime | None
    hearing_place: str | None
    outcome: Outcome | None
    before_total_value: Decimal | None
    decided_total_value: Decimal | None
    decided_at: datetime | None


class PacketRequest(Schema):
    """The request that makes the evidence packet of an appeal: a POST of `body` to `href`."""

    appeal_id: UUID
    reference: str
    property_id: str
    hearing_at: datetime | None
    href: str
    body: dict[str, Any]


class Appeal(AppealSummary):
    """An appeal as a whole. `before` are the roll's values when it was decided, and `decided` those of the decision.

    `correction_no` numbers the supplement that brought them to a closed roll. `packet` makes its evidence packet.
    """

    petitioner_contact: str | None
    statement: str
    good_cause: str | None
    notice_id: UUID | None
    filed_by: str
    filed_at: datetime
    hearing_minutes: int | None
    before: Values | None
    decided: Values | None
    reason_code: Ground | None
    reason: str | None
    decided_by: str | None
    correction_no: int | None
    version: int
    packet: PacketRequest
    links: dict[str, str]


class DocumentRequest(RequestSchema):
    """A document to be sent: its name, its type, its exact size, and the SHA-256 of its content in hexadecimal."""

    filename: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^/\\\x00-\x1f\x7f]{1,200}$")]
    content_type: DocumentType
    size_bytes: Annotated[int, Field(ge=1, le=MAX_DOCUMENT_BYTES)]
    sha256: Sha256


class AppealDocument(Schema):
    """A document of an appeal; `received_at` is when its file was there, and was of its type."""

    id: UUID
    appeal_id: UUID
    filename: str
    content_type: DocumentType
    size_bytes: int
    sha256: str
    added_by: str
    added_at: datetime
    received_at: datetime | None


class NewDocument(AppealDocument):
    """A document with the address to which its file is sent."""

    send: SignedAddress


class ValueLoss(Schema):
    """Settled appeals of one level, class or reason: how they ended, and what they changed of the roll's value.

    `value_loss` is the value before less the value decided; negative where more was raised than reduced.
    """

    level: Level | None = None
    property_class: str | None = None
    reason_code: Ground | None = None
    appeals: int
    sustained: int
    reduced: int
    raised: int
    before_total_value: Decimal
    decided_total_value: Decimal
    value_loss: Decimal


class AppealTotals(Schema):
    """The appeals of a roll year: by status, and the value loss of the settled ones by level, class and reason."""

    roll_year: int
    appeals: dict[AppealStatus, int]
    late: int
    total: ValueLoss
    by_level: list[ValueLoss]
    by_class: list[ValueLoss]
    by_reason: list[ValueLoss]


class AppealDecided(Event):
    """An appeal was decided or stipulated, and its values are on the roll; `correction_no` is that of a closed one."""

    SOURCE: ClassVar[str] = "terrafusion.appeals"

    county_id: CountyId
    appeal_id: UUID
    reference: str
    roll_year: int
    property_id: str
    status: AppealStatus
    outcome: Outcome
    before: Values
    decided: Values
    correction_no: int | None
