"""Flags against sales as evidence of market value, and the decisions of persons."""

from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class SaleFlag(Tenant, Model):
    """A rule that a sale breaks; it stands until a later validation no longer finds it (`cleared_at`)."""

    __tablename__ = "sale_flags"

    sale_id: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    validation_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    flagged_at: Mapped[Created]
    cleared_by: Mapped[UUID | None]
    cleared_at: Mapped[Timestamp | None]

    __table_args__ = (
        Index(
            "uq_sale_flags_standing",
            "county_id",
            "sale_id",
            "rule",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )


class SaleDecision(Tenant, Model):
    """The decision of a person on a sale: it precedes the county's validity code. The latest stands.

    `decision` is valid, invalid or as_coded (the code holds again). `validity_code`, `row_hash` and `rules` are what
    the county said of the sale, and which flags stood, when it was decided.
    """

    __tablename__ = "sale_decisions"

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[str]
    decision: Mapped[str]
    note: Mapped[str]
    validity_code: Mapped[str]
    row_hash: Mapped[str]
    rules: Mapped[list[str]] = mapped_column(JSONB)
    request_digest: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[Timestamp] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    superseded_at: Mapped[Timestamp | None]

    __table_args__ = (
        CheckConstraint("decision IN ('valid', 'invalid', 'as_coded')", name="decision"),
        Index(
            "uq_sale_decisions_standing",
            "county_id",
            "sale_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
        Index(None, "county_id", "sale_id"),
    )
