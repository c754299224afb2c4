"""Webhooks and their deliveries."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class Webhook(Tenant, Model):
    """An address of a county's that is told of the ends of its jobs. Its secret is derived, and stored nowhere."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSONB)
    job_kinds: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    description: Mapped[str]
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[Timestamp | None]
    secret_version: Mapped[int]
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[Created]


class WebhookDelivery(Tenant, Model):
    """A message to one webhook. Its id is the message's: the same event makes no second one."""

    __tablename__ = "webhook_deliveries"

    webhook_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    message: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Created]
    last_attempt_at: Mapped[Timestamp | None]
    response_status: Mapped[int | None]
    error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status"),
        Index("ix_webhook_deliveries_newest", "county_id", "webhook_id", "created_at", "delivery_id"),
    )
