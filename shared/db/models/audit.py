"""The audit trail and its seals. Both tables are append-only: the database refuses all else, to their owner too."""

from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp

Json = dict[str, Any]


class AuditEvent(Tenant, Model):
    """Who changed what, and when.

    `old` and `new` are the values of the changed fields before and after. `address` is the caller's, NULL for tasks;
    `request_id` the correlation id of the request that began it all. `transaction_id` is the transaction that wrote it.
    """

    __tablename__ = "audit_events"

    event_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    occurred_at: Mapped[Created]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[Json] = mapped_column(JSONB)
    old: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    new: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("CAST(CAST(pg_current_xact_id() AS text) AS bigint)")
    )

    __table_args__ = (
        Index(None, "county_id", "occurred_at"),
        Index(None, "county_id", "transaction_id", "event_id"),
    )


class AuditSeal(Tenant, Model):
    """A link of a county's hash chain: the events from the end of the seal before up to its own end.

    Events are ordered by (transaction_id, event_id); the end itself is not included. `digest` is SHA-256 over the
    digest of the seal before and those of the events.
    """

    __tablename__ = "audit_seals"

    seal_no: Mapped[int] = mapped_column(primary_key=True)
    end_transaction_id: Mapped[int] = mapped_column(BigInteger)
    end_event_id: Mapped[int]
    events: Mapped[int]
    digest: Mapped[str]
    sealed_at: Mapped[Timestamp]
