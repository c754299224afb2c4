"""Registering an address, changing it, testing it, and looking at what was delivered to it."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row

from functions.webhooks import repository
from functions.webhooks.domain.signature import webhook_secret
from functions.webhooks.schemas import Delivery, DeliveryStatus, Message, Webhook, WebhookPatch, WebhookRequest
from functions.webhooks.service.dispatch import start_delivery
from shared import audit
from shared.access import Caller
from shared.aws import client
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, NotFound, PreconditionFailed, Unprocessable
from shared.settings import settings

ABANDONED_AFTER = timedelta(hours=24)
"""A delivery that is still pending then has no execution any more: none lives longer."""
MAX_WEBHOOKS = 20
"""Of one county. A choice: each event is sent to every one of them."""


def register(county_id: str, request: WebhookRequest, *, caller: Caller, idempotency_key: str | None) -> Webhook:
    """Add a webhook; the answer, and that to the same request with the same key, has its secret.

    Raises NotFound, Conflict for one too many, Unprocessable for a key that was used for something else.
    """
    webhook_id = deterministic_id(county_id, "webhook", caller, idempotency_key)
    values = request.model_dump(mode="json") | {
        "webhook_id": webhook_id,
        "request_digest": digest(request),
        "enabled": True,
        "secret_version": 1,
        "version": 1,
        "created_by": caller.username,
    }
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        if repository.add(connection, county_id, values):
            if len(repository.of_county(connection, county_id)) > MAX_WEBHOOKS:
                raise Conflict(f"A county has {MAX_WEBHOOKS} webhooks at most.", slug="too-many-webhooks")
            new = request.model_dump(mode="json")
            _record(connection, county_id, caller, "webhook.created", webhook_id, {}, new=new)
        row = _found(repository.find(connection, county_id, webhook_id), county_id, webhook_id)
    refuse_reused_key(row.request_digest, digest(request))
    return _webhook(row, secret=secret_of(county_id, row))


def all_webhooks(county_id: str) -> list[Webhook]:
    """The county's webhooks. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        return [_webhook(row) for row in repository.of_county(connection, county_id)]


def one_webhook(county_id: str, webhook_id: UUID) -> Webhook:
    """A webhook. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return _webhook(_found(repository.find(connection, county_id, webhook_id), county_id, webhook_id))


def change(
    county_id: str, webhook_id: UUID, patch: WebhookPatch, *, expected_version: int | None, caller: Caller
) -> Webhook:
    """Change a webhook; the answer has the secret where that is new. Raises NotFound, PreconditionFailed."""
    sent = patch.model_dump(mode="json", exclude_unset=True)
    for name in ("url", "events", "description", "enabled"):
        if name in sent and sent[name] is None:
            raise Unprocessable(f"{name} cannot be null.", pointer=f"/body/{name}")
    rotated = bool(sent.pop("rotate_secret", False))
    with unit_of_work(county_id) as connection:
        row = _expected(connection, county_id, webhook_id, expected_version)
        values: dict[str, Any] = {**sent, "version": row.version + 1}
        if rotated:
            values["secret_version"] = row.secret_version + 1
        if sent.get("enabled"):
            values |= {"disabled_reason": None, "failing_since": None}
        repository.change(connection, county_id, webhook_id, values)
        old = {name: getattr(row, name) for name in sent}
        details = {"secret_rotated": rotated}
        _record(connection, county_id, caller, "webhook.changed", webhook_id, details, old=old, new=sent)
        row = _found(repository.find(connection, county_id, webhook_id), county_id, webhook_id)
    return _webhook(row, secret=secret_of(county_id, row) if rotated else None)


def remove(county_id: str, webhook_id: UUID, *, caller: Caller) -> None:
    """Delete a webhook; what was not delivered is not delivered any more. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = _found(repository.find(connection, county_id, webhook_id, for_update=True), county_id, webhook_id)
        repository.remove(connection, county_id, webhook_id)
        _record(connection, county_id, caller, "webhook.deleted", webhook_id, {}, old={"url": row.url})


def test(county_id: str, webhook_id: UUID, *, caller: Caller, idempotency_key: str | None) -> Delivery:
    """Send a message of the type `webhook.test`. Raises NotFound, ServiceUnavailable."""
    delivery_id = deterministic_id(county_id, f"webhook test {webhook_id}", caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        _found(repository.find(connection, county_id, webhook_id), county_id, webhook_id)
        message = Message(type="webhook.test", timestamp=repository.now(connection), data=None)
        repository.add_delivery(connection, county_id, webhook_id, delivery_id, message.model_dump(mode="json"))
        _record(connection, county_id, caller, "webhook.tested", webhook_id, {})
    start_delivery(county_id, webhook_id, delivery_id, str(delivery_id))
    return one_delivery(county_id, webhook_id, delivery_id)


def replay(county_id: str, webhook_id: UUID, delivery_id: UUID, *, caller: Caller) -> Delivery:
    """Deliver a message once more, with its own id. Raises NotFound, Conflict for one that is under way."""
    with unit_of_work(county_id) as connection:
        found = repository.find_delivery(connection, county_id, webhook_id, delivery_id, for_update=True)
        row = _found_delivery(found, webhook_id, delivery_id)
        if row.status == "pending" and repository.now(connection) - row.created_at < ABANDONED_AFTER:
            raise Conflict("The delivery is under way.", slug="delivery-under-way")
        repository.change_delivery(connection, county_id, webhook_id, delivery_id, {"status": "pending", "attempts": 0})
        details = {"delivery_id": str(delivery_id)}
        _record(connection, county_id, caller, "webhook.replayed", webhook_id, details)
    start_delivery(county_id, webhook_id, delivery_id, f"{delivery_id}-{uuid4().hex[:8]}")
    return one_delivery(county_id, webhook_id, delivery_id)


def one_delivery(county_id: str, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """A delivery. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = repository.find_delivery(connection, county_id, webhook_id, delivery_id)
    return _delivery(_found_delivery(row, webhook_id, delivery_id))


def deliveries(
    county_id: str, webhook_id: UUID, *, status: DeliveryStatus | None, page_size: int, page_token: str | None
) -> Page[Delivery]:
    """A page of a webhook's deliveries, the newest first. Raises NotFound, BadRequest."""
    query = ["webhook-deliveries", county_id, str(webhook_id), status]
    after = decode_token(query, page_token, datetime.fromisoformat, UUID)
    with unit_of_work(county_id) as connection:
        _found(repository.find(connection, county_id, webhook_id), county_id, webhook_id)
        rows = repository.deliveries(
            connection,
            county_id,
            webhook_id,
            status=status,
            after=None if after is None else (after[0], after[1]),
            limit=page_size + 1,
        )
    page = rows[:page_size]
    more = len(rows) > page_size
    token = encode_token(query, [page[-1].created_at.isoformat(), str(page[-1].delivery_id)]) if more else None
    return Page(items=[_delivery(row) for row in page], next_page_token=token)


def secret_of(county_id: str, row: Row[Any]) -> str:
    """The secret of a webhook."""
    return webhook_secret(
        _signing_key(settings().webhook_signing_key_arn), county_id, row.webhook_id, row.secret_version
    )


@cache
def _signing_key(arn: str) -> str:
    """The stage's signing key, read once in a process."""
    return client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]


def _expected(connection: Connection, county_id: str, webhook_id: UUID, expected_version: int | None) -> Row[Any]:
    """A webhook, locked, in the version that the caller read."""
    row = _found(repository.find(connection, county_id, webhook_id, for_update=True), county_id, webhook_id)
    if expected_version not in (None, row.version):
        raise PreconditionFailed("The webhook has changed since you read it: read it again.")
    return row


def _found(row: Row[Any] | None, county_id: str, webhook_id: UUID) -> Row[Any]:
    if row is None:
        raise NotFound(f"{county_id} has no webhook {webhook_id}.")
    return row


def _found_delivery(row: Row[Any] | None, webhook_id: UUID, delivery_id: UUID) -> Row[Any]:
    if row is None:
        raise NotFound(f"The webhook {webhook_id} has no delivery {delivery_id}.")
    return row


def _record(
    connection: Connection,
    county_id: str,
    caller: Caller,
    action: audit.ResourceAction,
    webhook_id: UUID,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    subject = f"webhooks/{webhook_id}"
    audit.record(connection, county_id, caller.username, action, subject, details, old=old, new=new)


def _webhook(row: Row[Any], secret: str | None = None) -> Webhook:
    shown = {name: getattr(row, name) for name in Webhook.model_fields if name != "secret"}
    return Webhook(**shown, secret=secret)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.model_fields})
