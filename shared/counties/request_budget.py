"""A token bucket for each county: the requests that it may send, so that one county's load leaves room for the others'.

The bucket is a row of the database, which all functions share. A process takes tokens out of it in leases and answers
from its lease, so that a request costs a statement only where a lease has been used up. The first lease is of one
token, and each that is used up in time makes the next one twice as large, up to a second's: a county whose page asks
many processes for one thing each takes no more than it asks for, and one that sends all it may costs a statement a
second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from shared.db import DatabaseUnavailable, unit_of_work
from shared.db.engine import forget_connections
from shared.problems import CountyRateLimited, ServiceUnavailable
from shared.settings import settings

LEASE_S = 10.0
"""After which what is left of a lease is void. A choice: a token of long ago is no claim to capacity now."""
DENIED_S = 0.2
"""For which a county without tokens is refused unasked. A choice: five statements a second of a process at most, and
its tokens are handed out soon after they have come.
"""
BURST_SECONDS = 3
"""Seconds of its rate that a county may use at once: a map or a page of the console asks for dozens of things."""
MAX_REMEMBERED = 10_000
"""Counties that a process remembers; there are 3,143."""

_ENSURE = text(
    "INSERT INTO county_request_budgets (county_id, tokens) VALUES (:county_id, :burst) ON CONFLICT DO NOTHING"
)
_TAKE = text(
    "WITH full_bucket AS (SELECT county_id,"
    " least(:burst, tokens + :rate * extract(epoch FROM clock_timestamp() - refilled_at)) AS available"
    " FROM county_request_budgets WHERE county_id = :county_id FOR UPDATE)"
    " UPDATE county_request_budgets AS budget"
    " SET tokens = available - greatest(0, least(:size, floor(available))), refilled_at = clock_timestamp()"
    " FROM full_bucket WHERE budget.county_id = full_bucket.county_id"
    " RETURNING greatest(0, least(:size, floor(available)))"
)


@dataclass
class _Lease:
    """Tokens that a process may spend until `expires_at`; used up by then, it is followed by one of `next_size`."""

    tokens: int
    next_size: int
    expires_at: float


class RequestBudget:
    """The leases of one process. A process answers one request at a time, so nothing here is locked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._leases: dict[str, _Lease] = {}
        self._denied_until: dict[str, float] = {}

    def spend(self, county_id: str) -> None:
        """Take one of the county's tokens. Raises CountyRateLimited where it has none left.

        Without a database nobody is held back: the request itself says what is wrong.
        """
        rate = settings().county_requests_per_second
        if not rate:
            return
        now = self._clock()
        lease = self._leases.get(county_id)
        if lease is None or now >= lease.expires_at:
            lease = self._new_lease(county_id, rate, 1, now)
        elif not lease.tokens:
            lease = self._new_lease(county_id, rate, min(lease.next_size, rate), now)
        lease.tokens -= 1

    def _new_lease(self, county_id: str, rate: int, size: int, now: float) -> _Lease:
        limited = CountyRateLimited(f"The requests of {county_id} are more than {rate} a second; wait a moment.")
        if now < self._denied_until.get(county_id, now):
            raise limited
        tokens = _take(county_id, size)
        if len(self._leases) + len(self._denied_until) >= MAX_REMEMBERED:
            self._leases.clear()
            self._denied_until.clear()
        if not tokens:
            self._denied_until[county_id] = now + DENIED_S
            raise limited
        lease = self._leases[county_id] = _Lease(tokens, 2 * size, now + LEASE_S)
        return lease


def _take(county_id: str, size: int) -> int:
    """Tokens out of the county's bucket: as many as asked for, or what there is."""
    rate = settings().county_requests_per_second
    values = {"county_id": county_id, "burst": rate * BURST_SECONDS, "rate": rate, "size": size}
    try:
        with unit_of_work(county_id) as connection:
            granted = connection.scalar(_TAKE, values)
            if granted is None:
                connection.execute(_ENSURE, values)
                granted = connection.scalar(_TAKE, values)
    except DatabaseUnavailable as problem:
        if problem.unanswered:
            forget_connections()  # the request is to wait for none of the others that have died with it
        return size
    except ServiceUnavailable:
        return size
    return int(granted or 0)
