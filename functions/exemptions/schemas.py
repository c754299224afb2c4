"""Exemptions as the API shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.counties.exemption_settings import ExemptionType
from shared.schemas import RequestSchema, Schema
from shared.uploads.announced_file import FileTitle, Sha256, SignedAddress
from shared.uploads.document_types import DocumentType

RollYear = Annotated[int, Field(ge=1900, le=2200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Status = Literal["applied", "granted", "denied", "withdrawn", "ended"]
Check = Literal["second_of_one_owner", "owner_changed", "expired", "renewal_overdue"]
MAX_DOCUMENT_BYTES = 50 * 1024 * 1024
"""A choice: some hundred scanned pages."""


class ApplicationRequest(RequestSchema):
    """An application. Both years are included; without `last_year` the period is the type's own."""

    property_id: Name
    exemption_type: ExemptionType
    applicant: Name
    first_year: RollYear
    last_year: RollYear | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "ApplicationRequest":
        if self.last_year is not None and not self.first_year <= self.last_year <= self.first_year + 100:
            raise ValueError("last_year is not before first_year, and at most 100 years after it")
        return self


class DecisionRequest(RequestSchema):
    """The decision of a second person.

    `grant` and `deny` decide on an application, `renew` and `end` on what was granted. `frozen_value` is that of a
    freeze; without it, the assessed value of the first year is frozen. `last_year` is the last one of what ends.
    """

    decision: Literal["grant", "deny", "renew", "end"]
    reason: Text
    frozen_value: Annotated[Decimal, Field(ge=0, le=10**11)] | None = None
    last_year: RollYear | None = None

    @model_validator(mode="after")
    def _of_its_decision(self) -> "DecisionRequest":
        if (self.decision == "end") != (self.last_year is not None):
            raise ValueError("last_year is the last year of what is ended")
        if self.frozen_value is not None and self.decision != "grant":
            raise ValueError("a value is frozen where an exemption is granted")
        return self


class WithdrawalRequest(RequestSchema):
    """Why an application is withdrawn."""

    reason: Text


class RegisteredOwner(Schema):
    """An owner of the parcel on the day of the application; of a confidential one nothing is shown."""

    name: str | None
    mailing_address: str | None
    confidential: bool = False

    @model_validator(mode="before")
    @classmethod
    def _withheld(cls, stored: Any) -> Any:
        if isinstance(stored, dict) and stored.get("confidential"):
            return {"name": None, "mailing_address": None, "confidential": True}
        return stored


class ExemptionTerms(Schema):
    """The rule of an exemption: an amount, a share up to `max_amount`, or a freeze; `authority` is its law."""

    kind: Literal["amount", "share", "freeze"]
    amount: Decimal | None = None
    share: Decimal | None = None
    max_amount: Decimal | None = None
    authority: str


class Exemption(Schema):
    """An application, and from its decision on the exemption.

    `rule` is the county's rule as it was at the application. `renewal_year` is the roll year for which the exemption
    is to be renewed.
    """

    exemption_id: UUID
    property_id: str
    exemption_type: str
    rule: ExemptionTerms
    status: Status
    applicant: str
    note: str | None
    owners: list[RegisteredOwner]
    first_year: int
    last_year: int
    renewal_year: int | None
    frozen_value: Decimal | None
    applied_by: str
    applied_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    version: int


class DocumentRequest(RequestSchema):
    """A document to be sent: its name, its type, its exact size, and the SHA-256 of its content in hexadecimal."""

    filename: FileTitle
    content_type: DocumentType
    size_bytes: Annotated[int, Field(ge=1, le=MAX_DOCUMENT_BYTES)]
    sha256: Sha256


class ExemptionDocument(Schema):
    """A document of an application; it can be taken once its file was sent."""

    document_id: UUID
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    added_by: str
    added_at: datetime


class NewExemptionDocument(ExemptionDocument):
    """A document with the address to which its file is sent: once, within 15 minutes."""

    send: SignedAddress


class TaxableStep(Schema):
    """An exemption's part in a taxable value: the rule in words, what it took off, and what remained.

    `source` says whether the exemption was granted here or comes from the county's own system. Where it is not
    `counted`, `rule` says why.
    """

    source: Literal["granted", "county_system"]
    exemption_id: str
    exemption_type: str | None
    rule: str
    authority: str | None
    counted: bool
    exempt_value: Decimal
    value_after: Decimal


class TaxableValue(Schema):
    """Market and taxable value of a property in a roll year, and each rule on the way from the assessed value.

    `assessed_value` is the assessment's own, or its market value where it has none.
    """

    property_id: str
    roll_year: int
    market_value: Decimal | None
    assessed_value: Decimal
    taxable_value: Decimal
    steps: list[TaxableStep]


class ExemptionFinding(Schema):
    """An exemption of a roll year that somebody should look at, with the reason."""

    check: Check
    property_id: str
    exemption_type: str
    source: Literal["granted", "county_system"]
    exemption_id: str
    reason: str


class ExemptionLoss(Schema):
    """The value that exemptions of a type take off in an area."""

    exemption_type: str
    area: str
    properties: int
    exempt_value: Decimal


class ExemptionSummary(Schema):
    """Properties with exemptions in a roll year: their values together, and the loss by type and area."""

    roll_year: int
    properties: int
    market_value: Decimal
    assessed_value: Decimal
    taxable_value: Decimal
    losses: list[ExemptionLoss]
