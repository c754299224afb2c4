"""SQL of access keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Connection,
    Select,
    delete,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from shared.access import Permission
from shared.db.models import AccessKey

USE_NOTED_S = 60
"""Seconds between two notes of a key's use: one statement a minute, whatever it is used for."""

_PRESENT = text("SELECT set_config('app.key_digest', :digest, true)")


class PresentedKey(NamedTuple):
    """A key in one county: whose it is, and the permissions that it was made with."""

    county_id: str
    key_id: UUID
    digest: bytes
    owner: str
    owner_name: str
    permissions: str
    valid: bool
    used_long_ago: bool


def permissions_in(column: str) -> frozenset[Permission]:
    """The permissions that a row lists; those that a later release no longer knows are left out."""
    return frozenset(Permission(name) for name in column.split() if name in set(Permission))


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


class StoredKey(NamedTuple):
    """A key as its rows in the counties of the transaction tell it."""

    key_id: UUID
    request_digest: str
    name: str
    owner: str
    owner_name: str
    permissions: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    counties: Sequence[str]
    revoked: bool
    expired: bool


_GROUPED = (
    AccessKey.key_id,
    AccessKey.request_digest,
    AccessKey.name,
    AccessKey.owner,
    AccessKey.owner_name,
    AccessKey.permissions,
    AccessKey.created_at,
    AccessKey.expires_at,
)


def _keys() -> Select[*tuple[Any, ...]]:
    """Keys, each with those of its counties in which it stands, or with all where it stands in none."""
    stands = AccessKey.revoked_at.is_(None)
    counties = aggregate_order_by(AccessKey.county_id, AccessKey.county_id)
    return select(
        *_GROUPED,
        func.max(AccessKey.last_used_at),
        func.coalesce(func.array_agg(counties).filter(stands), func.array_agg(counties)),
        func.bool_and(AccessKey.revoked_at.is_not(None)),
        (AccessKey.expires_at <= func.now()),
    ).group_by(*_GROUPED)


def find(connection: Connection, key_id: UUID) -> StoredKey | None:
    """A key; None for one that has no row in the counties of the transaction."""
    row = connection.execute(_keys().where(AccessKey.key_id == key_id)).one_or_none()
    return None if row is None else StoredKey(*row)


def visible_keys(
    connection: Connection, owner: str, managed: Sequence[str], *, after: tuple[datetime, UUID] | None, limit: int
) -> list[StoredKey]:
    """Keys of the owner, and those of anybody in the counties that are managed; the newest first."""
    statement = _keys().where(or_(AccessKey.owner == owner, AccessKey.county_id.in_(managed)))
    if after is not None:
        statement = statement.where(tuple_(AccessKey.created_at, AccessKey.key_id) < tuple_(*map(literal, after)))
    rows = connection.execute(statement.order_by(AccessKey.created_at.desc(), AccessKey.key_id.desc()).limit(limit))
    return [StoredKey(*row) for row in rows]


def count(connection: Connection, owner: str) -> int:
    """The number of the owner's keys that have neither ended nor been revoked."""
    stands = AccessKey.revoked_at.is_(None) & (AccessKey.expires_at > func.now())
    statement = select(func.count(distinct(AccessKey.key_id))).where(AccessKey.owner == owner, stands)
    return connection.scalar(statement) or 0


def lock_owner(connection: Connection, owner: str) -> None:
    """Hold off other requests of the same owner until the transaction ends: they count keys too."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"access_keys/{owner}", 0))))


def add(connection: Connection, county_id: str, values: Mapping[str, Any]) -> None:
    """Add a key's row in a county."""
    connection.execute(insert(AccessKey).values(county_id=county_id, **values))


def remove_old(connection: Connection, owner: str, days: int) -> None:
    """Remove what of the owner's keys ended so long ago that the audit trail alone need remember it."""
    ended = func.least(AccessKey.expires_at, func.coalesce(AccessKey.revoked_at, AccessKey.expires_at))
    before = func.now() - func.make_interval(0, 0, 0, days)
    connection.execute(delete(AccessKey).where(AccessKey.owner == owner, ended < before))


def revoke(connection: Connection, key_id: UUID, county_id: str) -> bool:
    """Revoke a key in a county; False where it does not stand there."""
    revoked = connection.execute(
        update(AccessKey)
        .where(AccessKey.key_id == key_id, AccessKey.county_id == county_id, AccessKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return revoked.rowcount > 0
