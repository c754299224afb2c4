"""Checks of a roll, waivers of what they find, certificates, and the rows of its supplements.

A roll's supplements are its numbered corrections (`RollCorrection`).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class RollCheckResult(Tenant, Model):
    """The newest result of a check over a roll: how many rows it finds, and the role that looks at them (`owner`)."""

    __tablename__ = "roll_check_results"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    check_name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    severity: Mapped[str]
    owner: Mapped[str]
    rows: Mapped[int]
    ran_at: Mapped[Timestamp]
    ran_by: Mapped[str]

    __table_args__ = (CheckConstraint("severity IN ('blocks', 'warns')", name="severity"),)


class RollCheckRow(Tenant, Model):
    """A row that a check finds; `row_key` is that of an assessment, or of what else the check is about."""

    __tablename__ = "roll_check_rows"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    check_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    property_id: Mapped[str | None]
    detail: Mapped[str]


class RollWaiver(Tenant, Model):
    """A person's decision that a check, or one row that it finds, does not keep a roll from being certified."""

    __tablename__ = "roll_waivers"

    waiver_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    roll_year: Mapped[int]
    check_name: Mapped[str]
    row_key: Mapped[str | None]
    """NULL: every row of the check."""
    reason: Mapped[str]
    waived_by: Mapped[str]
    waived_at: Mapped[Created]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[Timestamp | None]

    __table_args__ = (
        Index(
            "uq_roll_waivers_standing",
            "county_id",
            "roll_year",
            "check_name",
            text("coalesce(row_key, '')"),
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )


class RollCertificate(Tenant, Model):
    """The certificate of a closed roll (`supplement_no` 0) or of one of its supplements. Nobody changes or removes one.

    `statement` is the manifest's head, `sha256` the digest of the whole manifest, which is the object `object_key`.
    """

    __tablename__ = "roll_certificates"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    roll_version: Mapped[int] = mapped_column(primary_key=True)
    supplement_no: Mapped[int] = mapped_column(primary_key=True)
    statement: Mapped[dict[str, Any]] = mapped_column(JSONB)
    object_key: Mapped[str]
    sha256: Mapped[str]
    certified_by: Mapped[str]
    certified_at: Mapped[Timestamp]


class RollCorrectedRow(Tenant, Model):
    """A row that a supplement changed, from which version to which. A trigger of the roll's tables writes it.

    NULL: the row was not there before, or is not there any more.
    """

    __tablename__ = "roll_corrected_rows"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    correction_no: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    version_before: Mapped[int | None]
    version_after: Mapped[int | None]
