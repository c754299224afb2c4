"""The credentials that a route accepts."""

from enum import StrEnum

from shared.access.permissions import VIEW_PERMISSIONS, Permission


class Access(StrEnum):
    """The credentials that open a route, from none to the strictest."""

    PUBLIC = "public"
    """None are needed: signing in, health, the API's description."""
    OPEN = "open"
    """An access token or a key; without either, what the county has opened to everybody."""
    KEY = "key"
    """An access token or a key."""
    TOKEN = "token"  # noqa: S105 - what it is, and none
    """An access token."""


def access_of(method: str, permission: Permission | None) -> Access:
    """The access of a route that declares none: a key opens what only reads."""
    if permission is None:
        return Access.PUBLIC
    return Access.KEY if method == "GET" and permission in VIEW_PERMISSIONS else Access.TOKEN
