"""Decisions of the county's people on fields of synced rows."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class FieldOverride(Tenant, Model):
    """A field's value that was decided here, with the source's value that it stood against.

    `field` is a column, or `attributes.<key>`; `version` is the version of the row that the decision made. Values are
    JSON, null included. Without `ended_at` it stands. Ended by `ended_by`, a run or another decision: `replaced` by
    another decision, `withdrawn` with the approval that made it, `source_changed`: the source brought another value,
    `source_agrees`: it brought this one.
    """

    __tablename__ = "field_overrides"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    source_value: Mapped[Any] = mapped_column(JSONB)
    origin: Mapped[str]
    decision_id: Mapped[UUID]
    made_by: Mapped[str]
    made_at: Mapped[Created]
    ended_at: Mapped[Timestamp | None]
    ended_why: Mapped[str | None]
    ended_by: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint("origin IN ('edit', 'approval', 'upload', 'appeal')", name="origin"),
        CheckConstraint("ended_why IN ('replaced', 'withdrawn', 'source_changed', 'source_agrees')", name="ended_why"),
        Index(
            "uq_field_overrides_standing",
            "county_id",
            "table_name",
            "row_key",
            "field",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "county_id", "decision_id"),
        Index(
            "ix_field_overrides_ended_by",
            "county_id",
            "ended_by",
            postgresql_where=text("ended_by IS NOT NULL"),
        ),
    )
