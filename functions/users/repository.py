"""SQL of a county's users."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import AccessKey, CountyMember


class StoredMember(NamedTuple):
    """A member of a county as the table knows one."""

    username: str
    version: int
    request_digest: str | None
    invited_by: str | None
    invited_at: datetime | None
    last_signed_in_at: datetime | None


_COLUMNS = (
    CountyMember.username,
    CountyMember.version,
    CountyMember.request_digest,
    CountyMember.invited_by,
    CountyMember.invited_at,
    CountyMember.last_signed_in_at,
)


def lock_county(connection: Connection, county_id: str) -> None:
    """Hold off other changes of a county's users until the transaction ends: each leaves an administrator."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"county_members/{county_id}"}
    )


def page(connection: Connection, county_id: str, *, after: str | None, limit: int) -> list[StoredMember]:
    """Members of a county by their names."""
    statement = select(*_COLUMNS).where(CountyMember.county_id == county_id)
    if after is not None:
        statement = statement.where(CountyMember.username > after)
    return [StoredMember(*row) for row in connection.execute(statement.order_by(CountyMember.username).limit(limit))]


def find(connection: Connection, county_id: str, username: str) -> StoredMember | None:
    """A member of a county."""
    return _one(connection, county_id, CountyMember.username == username)


def find_invited(connection: Connection, county_id: str, invitation_id: UUID) -> StoredMember | None:
    """The member whom an invitation made."""
    return _one(connection, county_id, CountyMember.invitation_id == invitation_id)


def _one(connection: Connection, county_id: str, condition: ColumnElement[bool]) -> StoredMember | None:
    row = connection.execute(select(*_COLUMNS).where(CountyMember.county_id == county_id, condition)).one_or_none()
    return None if row is None else StoredMember(*row)


def usernames(connection: Connection, county_id: str) -> Sequence[str]:
    """Names of a county's members; who signed in last comes first."""
    order = CountyMember.last_signed_in_at.desc().nulls_last()
    return connection.scalars(
        select(CountyMember.username).where(CountyMember.county_id == county_id).order_by(order)
    ).all()


def add(
    connection: Connection, county_id: str, username: str, *, invitation_id: UUID, request_digest: str, invited_by: str
) -> None:
    """Add a member by an invitation; one who was there goes by the new invitation."""
    invitation = {
        "invitation_id": invitation_id,
        "request_digest": request_digest,
        "invited_by": invited_by,
        "invited_at": func.now(),
    }
    connection.execute(
        insert(CountyMember)
        .values(county_id=county_id, username=username, **invitation)
        .on_conflict_do_update(
            index_elements=["county_id", "username"], set_={**invitation, "version": CountyMember.version + 1}
        )
    )


def count_version(connection: Connection, county_id: str, username: str) -> None:
    """Count a change of a member."""
    connection.execute(
        update(CountyMember)
        .where(CountyMember.county_id == county_id, CountyMember.username == username)
        .values(version=CountyMember.version + 1)
    )


def remove(connection: Connection, county_id: str, username: str) -> None:
    """Remove a member."""
    connection.execute(
        delete(CountyMember).where(CountyMember.county_id == county_id, CountyMember.username == username)
    )


def revoke_keys(connection: Connection, county_id: str, owner: str) -> int:
    """Revoke a user's access keys in a county; the number of those that stood."""
    revoked = connection.execute(
        update(AccessKey)
        .where(AccessKey.county_id == county_id, AccessKey.owner == owner, AccessKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return revoked.rowcount
