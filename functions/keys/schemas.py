"""Requests and answers of access keys."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from shared.access import VIEW_PERMISSIONS, Permission
from shared.schemas import CountyId, RequestSchema, Schema

MAX_COUNTIES = 20
"""Of one key. The authorizer's answer names them, with what each withholds: 20 of the longest names, each with all that
a county can withhold, are within the 8 KB that API Gateway's quotas give for it (a test measures it)."""


def _view_permission(permission: Permission) -> Permission:
    if permission not in VIEW_PERMISSIONS:
        raise ValueError(f"a key only reads; choose of {', '.join(sorted(VIEW_PERMISSIONS))}")
    return permission


class KeyRequest(RequestSchema):
    """A key to be made: a name by which its owner knows it, and what it opens until when."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    counties: Annotated[frozenset[CountyId], Field(min_length=1, max_length=MAX_COUNTIES)]
    permissions: Annotated[frozenset[Annotated[Permission, AfterValidator(_view_permission)]], Field(min_length=1)]
    expires_at: AwareDatetime


class AccessKey(Schema):
    """A key, without its secret. `counties` are those that the caller may see, `requests_per_second` its limit in each.

    It opens of this what its owner may do at the time. `last_used_at` is true to a minute.
    """

    id: UUID
    name: str
    owner: str
    status: Literal["active", "expired", "revoked"]
    counties: list[str]
    permissions: list[Permission]
    requests_per_second: int
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewAccessKey(AccessKey):
    """A key that was just made. Its `secret` is shown this once: a repeated request finds the key without it."""

    secret: str | None
