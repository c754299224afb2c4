"""Users of the pool, as Cognito has them now."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.access import Role
from shared.aws import client
from shared.counties.user_permissions import COUNTIES_ATTRIBUTE, counties_of, roles_of
from shared.settings import settings

MAX_COUNTIES_LENGTH = 2048
"""Cognito's limit for an attribute: the ids of the counties with a blank between each two."""


@dataclass(frozen=True)
class PoolUser:
    """A user: `subject` is the id that stays, `username` the name to sign in with, `status` Cognito's word."""

    username: str
    subject: str
    email: str
    enabled: bool
    status: str
    counties: tuple[str, ...]
    roles: tuple[Role, ...]


def find(username: str) -> PoolUser | None:
    """The user of this name; None where there is none. Reads Cognito."""
    cognito, pool = client("cognito-idp"), settings().user_pool_id
    try:
        user = cognito.admin_get_user(UserPoolId=pool, Username=username)
        groups = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=username)
    except cognito.exceptions.UserNotFoundException:
        return None
    attributes = {attribute["Name"]: attribute.get("Value", "") for attribute in user["UserAttributes"]}
    return PoolUser(
        username=user["Username"],
        subject=attributes["sub"],
        email=attributes.get("email", ""),
        enabled=user["Enabled"],
        status=user["UserStatus"],
        counties=tuple(counties_of(attributes.get(COUNTIES_ATTRIBUTE, ""))),
        roles=tuple(roles_of(group["GroupName"] for group in groups["Groups"])),
    )


def lock_user(connection: Connection, username: str) -> None:
    """Let nobody else change a user until the transaction ends: the pool's attributes are read and written whole."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"members/{username}"}
    )


def counties_value(counties: Iterable[str]) -> str | None:
    """The value of the attribute of a user who works for these counties; None where it would be too long."""
    listed = " ".join(sorted(set(counties)))
    return listed if len(listed) <= MAX_COUNTIES_LENGTH else None
