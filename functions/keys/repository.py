"""SQL of access keys."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, or_, select, text, update

from shared.db.models import AccessKey

USE_NOTED_S = 60
"""Seconds between two notes of a key's use: one statement a minute, whatever it is used for."""

_PRESENT = text("SELECT set_config('app.key_digest', :digest, true)")


class PresentedKey(NamedTuple):
    """What a key opens in one county, as it was agreed when it was made."""

    county_id: str
    key_id: UUID
    digest: bytes
    owner: str
    owner_name: str
    permissions: str
    valid: bool
    used_long_ago: bool


def presented(connection: Connection, digest: bytes) -> Sequence[PresentedKey]:
    """The rows of a key by its digest, of whichever counties: the policy `presented` shows them and no others."""
    connection.execute(_PRESENT, {"digest": digest.hex()})
    before = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USE_NOTED_S)
    rows = connection.execute(
        select(
            AccessKey.county_id,
            AccessKey.key_id,
            AccessKey.digest,
            AccessKey.owner,
            AccessKey.owner_name,
            AccessKey.permissions,
            (AccessKey.revoked_at.is_(None) & (AccessKey.expires_at > func.now())).label("valid"),
            or_(AccessKey.last_used_at.is_(None), AccessKey.last_used_at < before).label("used_long_ago"),
        )
        .where(AccessKey.digest == digest)
        .order_by(AccessKey.county_id)
    )
    return [PresentedKey(*row) for row in rows]


def note_use(connection: Connection, key_id: UUID) -> None:
    """Note in the counties of the transaction that the key has been used."""
    connection.execute(update(AccessKey).where(AccessKey.key_id == key_id).values(last_used_at=func.now()))
