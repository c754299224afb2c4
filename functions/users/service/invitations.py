"""Inviting users into a county."""

from sqlalchemy import Connection

from functions.users import repository
from functions.users.schemas import Invitation
from functions.users.service import pool
from functions.users.service.members import Member, as_of_now, manages, of_county, require_grantable
from shared import audit
from shared.access import Caller, Role
from shared.db import change_county, unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import Conflict
from shared.user_pool import PoolUser, find, lock_user

_KIND = "user_invitation"


def invite(county_id: str, request: Invitation, *, caller: Caller, idempotency_key: str | None) -> Member:
    """Create a user and mail the invitation, or let a user whom the caller manages work for the county too.

    The same Idempotency-Key finds the user of the first request. Raises Forbidden for a role that the caller cannot
    give, Unprocessable for one county too many, Conflict for who is there already or cannot be invited by the caller.
    """
    username, role = request.email, request.role
    invitation_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        require_onboarded(connection, county_id)
        lock_user(connection, username)
        earlier = repository.find_invited(connection, county_id, invitation_id)
        if earlier is not None:
            refuse_reused_key(earlier.request_digest or "", digest(request))
            return of_county(connection, county_id, earlier.username)
        caller = as_of_now(connection, county_id, caller)
        require_grantable(connection, role, (county_id,), caller)
        with pool.refusals():
            user = find(username)
            counties = _counties_after(connection, county_id, username, user, role, caller)
            change_county(connection, county_id)
            repository.add(
                connection,
                county_id,
                username,
                invitation_id=invitation_id,
                request_digest=digest(request),
                invited_by=caller.username,
            )
            new = {"roles": [role.value]}
            audit.record(connection, county_id, caller.username, "user.invited", f"users/{username}", {}, new=new)
            if user is None:
                pool.create(username, county_id)
                pool.set_role(user, username, role)
            else:  # the role first: one of former times is not to hold in this county
                pool.set_role(user, username, role)
                pool.set_counties(username, counties)
                if user.status == pool.FORCE_CHANGE_PASSWORD:
                    pool.send_invitation(username)
            return of_county(connection, county_id, username)


def _counties_after(
    connection: Connection, county_id: str, username: str, user: PoolUser | None, role: Role, caller: Caller
) -> tuple[str, ...]:
    """The counties of the user once invited. Raises Conflict for who is there, or cannot be invited."""
    if user is None:
        return (county_id,)
    if county_id in user.counties and repository.find(connection, county_id, username) is not None:
        raise Conflict("This user works for the county already.", slug="user-exists")
    if not user.enabled or Role.PLATFORM_OPERATOR in user.roles or not manages(caller, user):
        raise pool.not_invitable()
    if user.counties and user.roles not in ((), (role,)):
        raise Conflict(
            f"This user has the role {', '.join(sorted(user.roles))} in your other counties, and a user has one role:"
            " invite with it, or change it.",
            slug="other-role",
        )
    return (*user.counties, county_id)
