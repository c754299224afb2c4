"""Reading a county's users, and what must hold before one is changed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from functions.users import repository
from functions.users.repository import StoredMember
from functions.users.schemas import User
from functions.users.service.pool import FORCE_CHANGE_PASSWORD, refusals
from shared.access import Caller, Permission, Role
from shared.aws import client
from shared.counties.user_permissions import permissions_by_county, refinements
from shared.db import unit_of_work
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, Forbidden, NotFound, PreconditionFailed
from shared.user_pool import PoolUser, find, lock_user

_READERS = 8
"""Users that a page reads from Cognito at a time. Two calls each: 8 are far from its 120 a second."""


@dataclass(frozen=True)
class Member:
    """A user who works for a county: the county's row, and the pool's user."""

    row: StoredMember
    user: PoolUser

    @property
    def described(self) -> User:
        """The user as the county's managers see one."""
        waiting = "invited" if self.row.last_signed_in_at is None else "password_reset"
        return User(
            username=self.user.username,
            email=self.user.email,
            roles=sorted(self.user.roles),
            enabled=self.user.enabled,
            status=waiting if self.user.status == FORCE_CHANGE_PASSWORD else "active",
            invited_by=self.row.invited_by,
            invited_at=self.row.invited_at,
            last_signed_in_at=self.row.last_signed_in_at,
        )


def list_users(county_id: str, *, page_size: int, page_token: str | None) -> Page[User]:
    """A page of a county's users, by their names. It may be shorter than asked for, and another still follow."""
    query = [county_id, "users"]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        rows = repository.page(connection, county_id, after=after[0] if after else None, limit=page_size + 1)
    shown, more = rows[:page_size], len(rows) > page_size
    client("cognito-idp")  # made once, before the threads ask for it
    with refusals(), ThreadPoolExecutor(_READERS) as readers:
        users = list(readers.map(find, [row.username for row in shown]))
    return Page(
        items=[
            Member(row, user).described
            for row, user in zip(shown, users, strict=True)
            if user is not None and county_id in user.counties
        ],
        next_page_token=encode_token(query, [shown[-1].username]) if more else None,
    )


def read(county_id: str, username: str) -> Member:
    """A user of a county. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return of_county(connection, county_id, username)


def of_county(connection: Connection, county_id: str, username: str) -> Member:
    """A user of a county, as row and pool stand in this transaction. Raises NotFound."""
    row = repository.find(connection, county_id, username)
    if row is not None:
        with refusals():
            user = find(username)
        if user is not None and county_id in user.counties:
            return Member(row, user)
    raise NotFound("There is no such user in this county.", slug="user-not-found")


@contextmanager
def locked(
    county_id: str, username: str, caller: Caller, expected_version: int | None = None
) -> Iterator[tuple[Connection, Member, Caller]]:
    """A user of a county whom nobody else changes meanwhile, in a unit of work of the caller's counties; and the caller
    as of now.

    Raises NotFound, PreconditionFailed, Forbidden.
    """
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        caller = as_of_now(connection, county_id, caller)
        lock_user(connection, username)
        member = of_county(connection, county_id, username)
        if expected_version not in (None, member.row.version):
            raise PreconditionFailed(f"The user is at version {member.row.version} by now; read it again, then decide.")
        with refusals():
            yield connection, member, caller


def as_of_now(connection: Connection, county_id: str, caller: Caller) -> Caller:
    """The caller with no more than the pool allows now: whose role was just taken could take it back by a token that
    still opens the API. Raises Forbidden for who manages the county's users no longer."""
    with refusals():
        user = find(caller.username)
    allowed = permissions_by_county(user.roles, user.counties, refinements(connection)) if user and user.enabled else {}
    current = replace(
        caller,
        county_ids=caller.county_ids & allowed.keys(),
        withheld={county: caller.permissions - permissions for county, permissions in allowed.items()},
    )
    current.require_county(county_id, Permission.MANAGE_USERS)
    return current


def manages(caller: Caller, user: PoolUser) -> bool:
    """True where the caller manages the users of all counties that a user works for."""
    return all(c in caller.county_ids and caller.may(c, Permission.MANAGE_USERS) for c in user.counties)


def require_managed(caller: Caller, user: PoolUser) -> None:
    """Raise Forbidden for a user of whom not all is the caller's business: role and sign-in hold in every county."""
    if Role.PLATFORM_OPERATOR in user.roles:
        raise Forbidden("Operators of the platform are changed by the platform alone.", slug="platform-operator")
    if not manages(caller, user):
        raise Forbidden(
            "This changes the user in every county that the user works for, and you do not manage the users of all of"
            " them. You can remove the user from your county.",
            slug="user-of-other-counties",
        )


def require_grantable(connection: Connection, role: Role, counties: tuple[str, ...], caller: Caller) -> None:
    """Raise Forbidden for a role that allows, in one of the counties, what the caller may not do there."""
    for county_id, permissions in permissions_by_county([role], counties, refinements(connection)).items():
        missing = sorted(permission for permission in permissions if not caller.may(county_id, permission))
        if missing:
            raise Forbidden(
                f"{role} allows {', '.join(missing)} in {county_id}, which you do not have yourself.",
                slug="role-not-grantable",
            )


def require_another_administrator(connection: Connection, county_id: str, user: PoolUser, caller: Caller) -> None:
    """Raise Conflict where no other enabled administrator of a county would be there. Locks the county's users."""
    if not _administers(user, county_id):
        return
    repository.lock_county(connection, county_id)
    names = dict.fromkeys([caller.username, *repository.usernames(connection, county_id)])
    others = (find(name) for name in names if name != user.username)
    if not any(other is not None and _administers(other, county_id) for other in others):
        raise Conflict(
            f"{user.username} is the last {Role.IT_ADMIN} of {county_id} who can sign in: make another one first.",
            slug="last-administrator",
        )


def _administers(user: PoolUser, county_id: str) -> bool:
    return user.enabled and Role.IT_ADMIN in user.roles and county_id in user.counties
