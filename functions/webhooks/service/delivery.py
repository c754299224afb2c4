"""Delivery: one attempt, and what follows from how it ended."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from aws_lambda_powertools import Logger
from sqlalchemy import Connection, Row

from functions.webhooks import repository
from functions.webhooks.domain.attempts import is_given_up, next_delay_s
from functions.webhooks.domain.signature import signed_headers
from functions.webhooks.service.registration import secret_of
from functions.webhooks.service.sending import Outcome, post
from shared import audit
from shared.db import unit_of_work

PLATFORM = "platform"
"""The actor of what the platform does by itself."""

_logger = Logger(service="webhooks")


@dataclass(frozen=True)
class AttemptResult:
    """The outcome of an attempt; `wait_s` is the time until the next one, where there is one."""

    outcome: str
    wait_s: int = 0


def attempt(county_id: str, webhook_id: UUID, delivery_id: UUID) -> AttemptResult:
    """Send a delivery's message once. A message may arrive twice, with the same id; never after it was delivered."""
    with unit_of_work(county_id) as connection:
        webhook = repository.find(connection, county_id, webhook_id)
        delivery = repository.find_delivery(connection, county_id, webhook_id, delivery_id)
    if webhook is None or delivery is None or delivery.status != "pending":
        return AttemptResult("ended")
    if not webhook.enabled:
        outcome = Outcome(None, "The webhook is disabled.")
    else:
        body = orjson.dumps(delivery.message)
        secret = secret_of(county_id, webhook)
        outcome = post(webhook.url, body, signed_headers(secret, str(delivery_id), int(time.time()), body))
    with unit_of_work(county_id) as connection:
        return _record(connection, county_id, webhook, delivery, outcome)


def _record(
    connection: Connection, county_id: str, webhook: Row[Any], delivery: Row[Any], outcome: Outcome
) -> AttemptResult:
    webhook_id, delivery_id = delivery.webhook_id, delivery.delivery_id
    attempts = delivery.attempts + 1
    delay = None if outcome.delivered or not webhook.enabled else next_delay_s(attempts)
    status = "delivered" if outcome.delivered else "pending" if delay is not None else "failed"
    now = repository.now(connection)
    values = {
        "status": status,
        "attempts": attempts,
        "last_attempt_at": now,
        "response_status": outcome.status,
        "error": outcome.error,
    }
    repository.change_delivery(connection, county_id, webhook_id, delivery_id, values)
    _logger.info(
        "webhook attempted",
        county_id=county_id,
        webhook_id=str(webhook_id),
        delivery_id=str(delivery_id),
        attempts=attempts,
        status=outcome.status,
        reason=outcome.error,
    )
    if outcome.delivered:
        if webhook.failing_since is not None:
            repository.change(connection, county_id, webhook_id, {"failing_since": None})
        return AttemptResult("delivered")
    if webhook.enabled:
        _note_failure(connection, county_id, webhook, outcome, now)
    return AttemptResult("failed") if delay is None else AttemptResult("retry", delay)


def _note_failure(connection: Connection, county_id: str, webhook: Row[Any], outcome: Outcome, now: datetime) -> None:
    """Note since when a webhook has been failing, and disable it where that is too long."""
    failing_since = webhook.failing_since or now
    values: dict[str, Any] = {"failing_since": failing_since}
    if is_given_up(outcome.status, failing_since, now):
        reason = f"Nothing was delivered since {failing_since:%Y-%m-%d}; the last attempt: {outcome.error}"
        values |= {"enabled": False, "disabled_reason": reason, "version": webhook.version + 1}
        subject = f"webhooks/{webhook.webhook_id}"
        old, new = {"enabled": True}, {"enabled": False}
        details = {"reason": reason}
        audit.record(connection, county_id, PLATFORM, "webhook.disabled", subject, details, old=old, new=new)
        _logger.error("webhook disabled", county_id=county_id, webhook_id=str(webhook.webhook_id), reason=reason)
    repository.change(connection, county_id, webhook.webhook_id, values)
