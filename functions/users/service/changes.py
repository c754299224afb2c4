"""Changing users: role, sign-in, password; removing them from a county."""

from typing import Any

from sqlalchemy import Connection

from functions.users import repository
from functions.users.schemas import UserChange
from functions.users.service import pool
from functions.users.service.members import (
    Member,
    locked,
    read,
    require_another_administrator,
    require_grantable,
    require_managed,
)
from shared import audit
from shared.access import Caller, Role
from shared.audit import ResourceAction
from shared.db import change_county
from shared.problems import Conflict


def change(
    county_id: str, username: str, request: UserChange, *, expected_version: int | None, caller: Caller
) -> Member:
    """Change the role, whether the user may sign in, or both, in all counties of the user.

    Either ends the user's sessions. Raises NotFound, PreconditionFailed, Forbidden; Conflict for the last administrator
    and for oneself.
    """
    with locked(county_id, username, caller, expected_version) as (connection, member, caller):
        user = member.user
        require_managed(caller, user)
        role = None if request.role is None or user.roles == (request.role,) else request.role
        enabled = None if request.enabled is user.enabled else request.enabled
        if role is not None:
            require_grantable(connection, role, user.counties, caller)
        if enabled is False and user.subject == caller.subject:
            raise Conflict("Nobody disables himself: another manager of users can.", slug="own-user")
        if enabled is False or role not in (None, Role.IT_ADMIN):
            for county in user.counties:
                require_another_administrator(connection, county, user, caller)
        if role is not None:
            roles = {"roles": sorted(user.roles)}, {"roles": [role.value]}
            _record(connection, member, caller, "user.role_changed", {}, *roles)
            pool.set_role(user, username, role)
        if enabled is not None:
            action: ResourceAction = "user.enabled" if enabled else "user.disabled"
            _record(connection, member, caller, action, {}, {"enabled": user.enabled}, {"enabled": enabled})
            pool.set_enabled(username, enabled=enabled)
        if role is not None or enabled is False:
            pool.sign_out(username)
    return read(county_id, username)


def remove(county_id: str, username: str, *, caller: Caller) -> None:
    """Let a user work for a county no longer, whatever others the user works for, and end the user's sessions.

    Raises NotFound, Conflict for the last administrator.
    """
    with locked(county_id, username, caller) as (connection, member, caller):
        require_another_administrator(connection, county_id, member.user, caller)
        change_county(connection, county_id)
        repository.remove(connection, county_id, username)
        old = {"roles": sorted(member.user.roles)}
        audit.record(connection, county_id, caller.username, "user.removed", f"users/{username}", {}, old=old)
        pool.set_counties(username, set(member.user.counties) - {county_id})
        pool.sign_out(username)


def reset_password(county_id: str, username: str, *, caller: Caller) -> Member:
    """End a user's password, sessions and access keys, and mail a password that the next sign-in replaces.

    Whoever has had the password may have made keys with it. Raises NotFound, Forbidden, Conflict for who is disabled.
    """
    with locked(county_id, username, caller) as (connection, member, caller):
        require_managed(caller, member.user)
        _require_enabled(member)
        for county in member.user.counties:
            change_county(connection, county)
            revoked = repository.revoke_keys(connection, county, member.user.subject)
            details = {"keys_revoked": revoked}
            _record_in(connection, county, member, caller, "user.password_reset", details)
        pool.reset_password(username)
    return read(county_id, username)


def resend_invitation(county_id: str, username: str, *, caller: Caller) -> Member:
    """Mail an invitation again, with a new password. Raises NotFound, Forbidden, Conflict for who needs none."""
    with locked(county_id, username, caller) as (connection, member, caller):
        require_managed(caller, member.user)
        _require_enabled(member)
        if member.user.status != pool.FORCE_CHANGE_PASSWORD:
            raise Conflict("The user has set a password: reset it instead.", slug="invitation-accepted")
        _record(connection, member, caller, "user.invitation_sent", {})
        pool.send_invitation(username)
    return read(county_id, username)


def _require_enabled(member: Member) -> None:
    if not member.user.enabled:
        raise Conflict("The user is disabled: enable the user first.", slug="user-disabled")


def _record(
    connection: Connection,
    member: Member,
    caller: Caller,
    action: ResourceAction,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Record a change of a user in each of the user's counties, all of which the caller manages."""
    for county_id in member.user.counties:
        _record_in(connection, county_id, member, caller, action, details, old, new)


def _record_in(
    connection: Connection,
    county_id: str,
    member: Member,
    caller: Caller,
    action: ResourceAction,
    details: dict[str, Any],
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    change_county(connection, county_id)
    repository.count_version(connection, county_id, member.row.username)
    subject = f"users/{member.row.username}"
    audit.record(connection, county_id, caller.username, action, subject, details, old=old, new=new)
