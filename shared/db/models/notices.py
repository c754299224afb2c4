"""Notices of value, and the templates of their letters."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Money, Tenant


class NoticeTemplate(Tenant, Model):
    """A version of a county's own template of the letter; without a text, a return to the platform's."""

    __tablename__ = "notice_templates"

    version: Mapped[int] = mapped_column(primary_key=True)
    template: Mapped[str | None]
    made_by: Mapped[str]
    made_at: Mapped[Created]


class Notice(Tenant, Model):
    """A notice of a property's value in a roll year: what its letter says, to whom, and where the letter is.

    `prepared` in a batch that has not ended; `sent` from the batch's end on: one a property and roll year.
    `held_back` for `reasons`: there is no letter. `superseded` by a later notice.
    """

    __tablename__ = "notices"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID]
    roll_year: Mapped[int]
    previous_year: Mapped[int]
    property_id: Mapped[str]
    status: Mapped[str]
    reasons: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    old_land_value: Mapped[Money | None]
    old_improvement_value: Mapped[Money | None]
    old_total_value: Mapped[Money | None]
    new_land_value: Mapped[Money | None]
    new_improvement_value: Mapped[Money | None]
    new_total_value: Mapped[Money | None]
    mailed_on: Mapped[date]
    deadline: Mapped[date]
    parcel_number: Mapped[str | None]
    situs_address: Mapped[str | None]
    legal_description: Mapped[str | None]
    area: Mapped[str | None]
    recipient: Mapped[str | None]
    mailing_address: Mapped[str | None]
    mailing_city: Mapped[str | None]
    mailing_state: Mapped[str | None]
    mailing_zip: Mapped[str | None]
    replaces: Mapped[UUID | None]
    replaced_mailed_on: Mapped[date | None]
    superseded_by: Mapped[UUID | None]
    file_no: Mapped[int | None]
    letter_no: Mapped[int | None]
    page_no: Mapped[int | None]
    made_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("status IN ('prepared', 'sent', 'held_back', 'superseded')", name="status"),
        *(
            Index(
                f"uq_notices_{status}",
                "county_id",
                "roll_year",
                "property_id",
                unique=True,
                postgresql_where=text(f"status = '{status}'"),
            )
            for status in ("prepared", "sent")
        ),
        Index("ix_notices_batch", "county_id", "batch_id", "file_no", "letter_no"),
        Index(None, "county_id", "property_id"),
    )
