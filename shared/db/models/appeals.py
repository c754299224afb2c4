"""Appeals of values, and the documents that belong to them."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Money, Tenant, Timestamp


class Appeal(Tenant, Model):
    """An owner's appeal of a property's value in a roll year, of which a property has one at a time.

    `level` is where it stands or was settled: `hearing` from the first scheduled hearing on. `before_*` are the roll's
    values when it was decided, `decided_*` those of the decision; `correction_no` numbers the supplement of a closed
    roll that brought them there.
    """

    __tablename__ = "appeals"

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    roll_year: Mapped[int]
    appeal_no: Mapped[int]
    property_id: Mapped[str]
    property_class: Mapped[str | None]
    status: Mapped[str]
    level: Mapped[str]
    petitioner: Mapped[str]
    petitioner_contact: Mapped[str | None]
    good_cause: Mapped[str | None]
    ground: Mapped[str]
    statement: Mapped[str]
    requested_value: Mapped[Money | None]
    filed_on: Mapped[date]
    deadline: Mapped[date | None]
    late: Mapped[bool]
    notice_id: Mapped[UUID | None]
    filed_by: Mapped[str]
    filed_at: Mapped[Created]
    hearing_at: Mapped[Timestamp | None]
    hearing_minutes: Mapped[int | None]
    hearing_place: Mapped[str | None]
    hearing_sequence: Mapped[int] = mapped_column(server_default=text("0"))
    """Revision of the hearing's calendar entry (RFC 5545, SEQUENCE)."""
    outcome: Mapped[str | None]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    before_land_value: Mapped[Money | None]
    before_improvement_value: Mapped[Money | None]
    before_total_value: Mapped[Money | None]
    decided_land_value: Mapped[Money | None]
    decided_improvement_value: Mapped[Money | None]
    decided_total_value: Mapped[Money | None]
    decided_at: Mapped[Timestamp | None]
    correction_no: Mapped[int | None]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint(
            "status IN ('filed', 'informal', 'scheduled', 'heard', 'decided', 'stipulated', 'withdrawn')",
            name="status",
        ),
        CheckConstraint("level IN ('informal', 'hearing')", name="level"),
        CheckConstraint("outcome IN ('sustained', 'reduced', 'raised')", name="outcome"),
        Index("uq_appeals_number", "county_id", "roll_year", "appeal_no", unique=True),
        Index(
            "uq_appeals_open",
            "county_id",
            "roll_year",
            "property_id",
            unique=True,
            postgresql_where=text("status IN ('filed', 'informal', 'scheduled', 'heard')"),
        ),
        Index(None, "county_id", "property_id"),
        Index(None, "county_id", "hearing_at"),
    )


class AppealDocument(Tenant, Model):
    """A document of an appeal, announced first; `received_at` is when its file was there and of its type."""

    __tablename__ = "appeal_documents"

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID]
    request_digest: Mapped[str]
    filename: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    object_key: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[Created]
    received_at: Mapped[Timestamp | None]

    __table_args__ = (Index(None, "county_id", "appeal_id"),)
