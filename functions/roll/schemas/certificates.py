"""Certificates of rolls, their supplements, and their verification."""

from datetime import datetime
from decimal import Decimal

from functions.roll.schemas.checks import Reason, RollCheck, Waiver
from functions.roll.schemas.rolls import RollYear
from shared.schemas import RequestSchema, Schema


class CertifyRoll(RequestSchema):
    """A remark to stand in the certificate."""

    reason: Reason | None = None


class CertificationJob(RequestSchema):
    """The roll to certify."""

    roll_year: RollYear
    reason: Reason | None = None


class VerificationJob(RequestSchema):
    """The roll whose certificate is to be verified."""

    roll_year: RollYear


class CertifiedTotals(Schema):
    """The rows of a certified roll and the sums of their values."""

    assessments: int
    land_value: Decimal
    improvement_value: Decimal
    total_value: Decimal
    assessed_value: Decimal
    exemptions: int
    exempt_amount: Decimal


class Statement(Schema):
    """The head of a certified roll's manifest: who certified what when, with its totals, checks and waivers.

    `last_correction_no` is the last supplement that the certified rows have in them already.
    """

    county_id: str
    roll_year: int
    roll_version: int
    certified_by: str
    certified_at: datetime
    reason: str | None
    last_correction_no: int
    totals: CertifiedTotals
    checks: list[RollCheck]
    waivers: list[Waiver]


class SupplementStatement(Schema):
    """The head of a supplement's manifest: whose correction it is, why, and what the roll came to by it."""

    county_id: str
    roll_year: int
    roll_version: int
    supplement_no: int
    made_by: str
    made_at: datetime
    reason: str
    rows: int
    total_before: Decimal
    total_after: Decimal
    certified_by: str
    certified_at: datetime


class CertifiedSupplement(Schema):
    """A supplement with the digest (SHA-256) of its manifest."""

    statement: SupplementStatement
    sha256: str


class Certificate(Schema):
    """The certificate of a roll: its statement, the digest (SHA-256) of its manifest, and its supplements since.

    A supplement without a certificate of its own is counted in `uncertified_supplements`; certifying the roll again
    certifies it.
    """

    statement: Statement
    sha256: str
    supplements: list[CertifiedSupplement]
    uncertified_supplements: int


class CertificateVerification(Schema):
    """The outcome of a verification: each finding says what does not fit; `manifests` were made again and compared."""

    intact: bool
    manifests: int
    rows: int
    findings: list[str]
