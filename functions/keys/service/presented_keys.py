"""The claims of a presented access key: what it opens, of what its owner may do now."""

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress

from functions.keys import repository
from functions.keys.repository import PresentedKey
from functions.keys.service.credentials import UnauthorizedError
from shared import user_pool
from shared.access import key_secret
from shared.counties.user_permissions import permissions_of
from shared.db import retry_read, unit_of_work
from shared.problems import Problem

REMEMBERED_S = 30.0
"""Seconds for which a process remembers what a key opens. With the gateway's own cache (`AUTHORIZER_CACHE_S` of the
stack, 30 too) it is a minute until a revoked key opens nothing more."""
_MAX_REMEMBERED = 1000

Claims = dict[str, str]


class PresentedKeys:
    """The keys that one process has looked up lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._remembered: OrderedDict[bytes, tuple[float, Claims]] = OrderedDict()

    def claims(self, secret: str) -> Claims:
        """The claims by which handlers know the key's owner and what it opens.

        Raises UnauthorizedError for a key that was never made, has expired or was revoked, or whose owner is gone or
        disabled.
        """
        digest, now = key_secret.digest(secret), self._clock()
        until, claims = self._remembered.get(digest, (now, {}))
        if now < until:
            return claims
        claims = _claims(digest)
        self._remembered[digest] = (now + REMEMBERED_S, claims)
        self._remembered.move_to_end(digest)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return claims


def _claims(digest: bytes) -> Claims:
    rows = retry_read(lambda: _valid_rows(digest))
    if not rows:
        raise UnauthorizedError("an unknown, expired or revoked key")
    key = rows[0]
    owner = user_pool.find(key.owner_name)
    if owner is None or not owner.enabled or owner.subject != key.owner:
        raise UnauthorizedError("a key of a user who is gone or disabled")
    allowed = permissions_of(owner.roles, owner.counties).only(
        {row.county_id: repository.permissions_in(row.permissions) for row in rows}
    )
    if any(row.used_long_ago for row in rows):
        with suppress(Problem), unit_of_work(*(row.county_id for row in rows)) as connection:
            repository.note_use(connection, key.key_id)
    scopes = " ".join(sorted(permission.scope for permission in allowed.anywhere))
    who = {"sub": key.owner, "username": key.owner_name, "key_id": str(key.key_id)}
    return {**who, "scope": scopes, "roles": "", **allowed.claims()}


def _valid_rows(digest: bytes) -> Sequence[PresentedKey]:
    with unit_of_work() as connection:
        rows = repository.presented(connection, digest)
    return [row for row in rows if row.valid and hmac.compare_digest(row.digest, digest)]
