"""Rows of write-backs."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Model, Tenant


class WriteBackRow(Tenant, Model):
    """A column of a source's row that a write-back changes, or the reason why it does not.

    `source_key` is the row's key in the source, by column; NULL where the source has no such row.
    """

    __tablename__ = "write_back_rows"

    write_back_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    row_key: Mapped[str]
    source_key: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    field: Mapped[str]
    column_name: Mapped[str]
    outcome: Mapped[str]
    read_value: Mapped[str | None]
    new_value: Mapped[str | None]
    reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "outcome IN ('changed', 'changed_in_between', 'not_in_source', 'not_invertible')", name="outcome"
        ),
    )
