"""A token bucket for each county: the requests that it may send, so that one county's load leaves room for the others'.

Each access key has a bucket too, in each of its counties. A bucket is a row of the database, which all functions share.
A process takes tokens out of it in leases and answers from its lease, so that a request costs a statement only where a
lease has been used up. The first lease is of one token, and each that is used up in time makes the next one twice as
large, up to a second's: a county whose page asks many processes for one thing each takes no more than it asks for, and
one that sends all it may costs a statement a second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from shared.db import DatabaseUnavailable, unit_of_work
from shared.db.engine import forget_connections
from shared.problems import CountyRateLimited, KeyRateLimited, ServiceUnavailable, TooManyRequests
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
"""Buckets that a process remembers; there are 3,143 counties."""

_BucketId = tuple[str, str]
"""The ids of county and key; no key for the county's own."""


@dataclass(frozen=True)
class Buckets:
    """Buckets of one kind, each a row: `take` hands out tokens, `create` makes the row of a bucket that has none."""

    rate: Callable[[], int]
    """Tokens a second that flow into each; 0: any number of requests."""
    take: TextClause
    create: TextClause | None
    rate_limited: Callable[[str, int], TooManyRequests]
    """The problem of a bucket without tokens, for its county and its rate."""


def _take_from(table: str, of_bucket: str) -> TextClause:
    return text(
        "WITH full_bucket AS (SELECT county_id,"  # noqa: S608 - names of ours
        " least(:burst, tokens + :rate * extract(epoch FROM clock_timestamp() - refilled_at)) AS available"
        f" FROM {table} WHERE {of_bucket} FOR UPDATE)"
        f" UPDATE {table}"
        " SET tokens = available - greatest(0, least(:size, floor(available))), refilled_at = clock_timestamp()"
        f" FROM full_bucket WHERE {table}.county_id = full_bucket.county_id AND {table}.{of_bucket}"
        " RETURNING greatest(0, least(:size, floor(available)))"
    )


COUNTY_BUCKETS = Buckets(
    rate=lambda: settings().county_requests_per_second,
    take=_take_from("county_request_budgets", "county_id = :county_id"),
    create=text(
        "INSERT INTO county_request_budgets (county_id, tokens) VALUES (:county_id, :burst) ON CONFLICT DO NOTHING"
    ),
    rate_limited=lambda county_id, rate: CountyRateLimited(
        f"The requests of {county_id} are more than {rate} a second; wait a moment."
    ),
)
"""The bucket of each county."""

KEY_BUCKETS = Buckets(
    rate=lambda: settings().key_requests_per_second,
    take=_take_from("access_keys", "key_id = CAST(:key_id AS uuid)"),
    create=None,
    rate_limited=lambda county_id, rate: KeyRateLimited(
        f"The requests with this key to {county_id} are more than {rate} a second; wait a moment."
    ),
)
"""The bucket that each access key has in each of its counties. A key that is gone meanwhile has none, and is held back
by whoever lets keys in."""


@dataclass
class _Lease:
    """Tokens that a process may spend until `expires_at`; used up by then, it is followed by one of `next_size`."""

    tokens: int
    next_size: int
    expires_at: float


class RequestBudget:
    """The leases of one process. A process answers one request at a time, so nothing here is locked."""

    def __init__(self, buckets: Buckets, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = buckets
        self._clock = clock
        self._leases: dict[_BucketId, _Lease] = {}
        self._denied_until: dict[_BucketId, float] = {}

    def spend(self, county_id: str, key_id: str = "") -> None:
        """Take a token out of the bucket of a county, or of a key in it. Raises TooManyRequests where it has none left.

        Without a database nobody is held back: the request itself says what is wrong.
        """
        rate = self._buckets.rate()
        if not rate:
            return
        bucket = (county_id, key_id)
        now = self._clock()
        lease = self._leases.get(bucket)
        if lease is None or now >= lease.expires_at:
            lease = self._new_lease(bucket, rate, 1, now)
        elif not lease.tokens:
            lease = self._new_lease(bucket, rate, min(lease.next_size, rate), now)
        lease.tokens -= 1

    def _new_lease(self, bucket: _BucketId, rate: int, size: int, now: float) -> _Lease:
        limited = self._buckets.rate_limited(bucket[0], rate)
        if now < self._denied_until.get(bucket, now):
            raise limited
        tokens = self._take(bucket, rate, size)
        if len(self._leases) + len(self._denied_until) >= MAX_REMEMBERED:
            self._leases.clear()
            self._denied_until.clear()
        if not tokens:
            self._denied_until[bucket] = now + DENIED_S
            raise limited
        lease = self._leases[bucket] = _Lease(tokens, 2 * size, now + LEASE_S)
        return lease

    def _take(self, bucket: _BucketId, rate: int, size: int) -> int:
        """Tokens out of the bucket: as many as asked for, or what there is."""
        county_id, key_id = bucket
        burst = rate * BURST_SECONDS
        values = {"county_id": county_id, "key_id": key_id, "burst": burst, "rate": rate, "size": size}
        take, create = self._buckets.take, self._buckets.create
        try:
            with unit_of_work(county_id) as connection:
                granted = connection.scalar(take, values)
                if granted is None:
                    if create is None:
                        return size
                    connection.execute(create, values)
                    granted = connection.scalar(take, values)
        except DatabaseUnavailable as problem:
            if problem.unanswered:
                forget_connections()  # the request is to wait for none of the others that have died with it
            return size
        except ServiceUnavailable:
            return size
        return int(granted or 0)
