"""Models of webhooks, their deliveries, and the message that they carry."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from shared.jobs.schemas import JobError, JobStatus
from shared.schemas import RequestSchema, Schema

EventType = Literal["job.succeeded", "job.failed", "job.cancelled", "job.awaiting_approval"]
"""Ends of jobs of every kind, syncs included; `awaiting_approval` is one that goes on by a person's decision."""
MessageType = EventType | Literal["webhook.test"]
DeliveryStatus = Literal["pending", "delivered", "failed"]

MAX_URL = 2000
MAX_KINDS = 50


def _https(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is no address") from error
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("an address begins with https:// and the name of a host")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise ValueError("an address has no user, password or fragment")
    if not url.isascii() or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise ValueError("an address has printable ASCII characters only")
    return url


Url = Annotated[str, StringConstraints(max_length=MAX_URL), AfterValidator(_https)]
Events = Annotated[list[EventType], Field(min_length=1, max_length=4)]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=MAX_KINDS)]
Description = Annotated[str, StringConstraints(max_length=200)]


class WebhookRequest(RequestSchema):
    """A webhook: where it leads to, and of what it tells; without `job_kinds` of jobs of every kind."""

    url: Url
    events: Events
    job_kinds: Kinds | None = None
    description: Description = ""


class WebhookPatch(RequestSchema):
    """A change of a webhook. `enabled` starts or stops it; `rotate_secret` makes a new secret, shown once."""

    url: Url | None = None
    events: Events | None = None
    job_kinds: Kinds | None = None
    description: Description | None = None
    enabled: bool | None = None
    rotate_secret: bool = False


class Webhook(Schema):
    """A webhook. `secret` is there in the answer that made it and in no other.

    `failing_since` is the first failed attempt after which nothing was delivered; `disabled_reason` is why the platform
    stopped it.
    """

    webhook_id: UUID
    url: str
    events: list[EventType]
    job_kinds: list[str] | None
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_by: str
    created_at: datetime
    version: int
    secret: str | None = None


class Delivery(Schema):
    """A message to one webhook: how often it was attempted, and how the last attempt ended."""

    delivery_id: UUID
    type: MessageType
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    last_attempt_at: datetime | None
    response_status: int | None
    error: str | None
    message: dict[str, Any]


class EndedJob(Schema):
    """A job as a message tells of it."""

    county_id: str
    id: UUID
    kind: str
    status: JobStatus
    submitted_by: str
    created_at: datetime
    finished_at: datetime | None
    error: JobError | None


class Message(Schema):
    """The body of a delivery, as the Standard Webhooks specification shapes it. `data` is null in a test."""

    type: MessageType
    timestamp: datetime
    data: EndedJob | None
