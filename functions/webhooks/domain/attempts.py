"""When a delivery is attempted again, and when a webhook is given up."""

from datetime import datetime, timedelta

RETRY_DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000)
"""Seconds between attempts: the first of the schedule that the Standard Webhooks specification recommends. Together
17.6 hours, within the 24 hours that an execution of a state machine may take here."""
MAX_ATTEMPTS = len(RETRY_DELAYS_S) + 1
DISABLED_AFTER = timedelta(days=5)
"""A webhook that has failed for so long, with nothing delivered in between, is disabled. A choice, of the order that
the specification names: longer than a long weekend."""
GONE = 410
"""The receiver wants no more (RFC 9110, 15.5.11): the webhook is disabled at once."""


def next_delay_s(attempts: int) -> int | None:
    """Seconds until the next attempt; None after the last."""
    return RETRY_DELAYS_S[attempts - 1] if attempts < MAX_ATTEMPTS else None


def is_given_up(status: int | None, failing_since: datetime | None, now: datetime) -> bool:
    """True where a webhook is to be disabled after a failed attempt."""
    return status == GONE or (failing_since is not None and now - failing_since >= DISABLED_AFTER)
