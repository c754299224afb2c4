"""Routes of a county's users."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator

from functions.users.schemas import Invitation, User, UserChange
from functions.users.service import changes, invitations, members
from functions.users.service.members import Member
from shared.access import Permission
from shared.api import Api, answer, no_content
from shared.paging import Page

_ALL = "/v1/counties/{county_id}/users"
_ONE = f"{_ALL}/{{username}}"
_MAX_PAGE_SIZE = 50
"""Each user of a page is read from Cognito, in two calls."""

api = Api("users")
handler = api.handler


@api.get(_ALL, permission=Permission.MANAGE_USERS, summary="Users of a county")
def list_users(
    county_id: str,
    page_size: Annotated[
        int,
        Query(ge=1, description=f"Items a page; more than {_MAX_PAGE_SIZE} is taken as that."),
        AfterValidator(lambda size: min(size, _MAX_PAGE_SIZE)),
    ] = _MAX_PAGE_SIZE,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[User]]:
    """Users who were invited into the county or have signed in, by their names; a page may be shorter than asked."""
    return answer(members.list_users(county_id, page_size=page_size, page_token=page_token))


@api.post(_ALL, permission=Permission.MANAGE_USERS, summary="Invite a user", status=201)
def invite_user(county_id: str, body: Invitation) -> Response[User]:
    """Mail an invitation with a password of three days. A user of your other counties works for this one too."""
    member = invitations.invite(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return _shown(member, 201)


@api.get(_ONE, permission=Permission.MANAGE_USERS, summary="A user of a county")
def get_user(county_id: str, username: str) -> Response[User]:
    """A user, as the user pool has one now."""
    return _shown(members.read(county_id, username))


@api.patch(_ONE, permission=Permission.MANAGE_USERS, summary="Change a user")
def change_user(county_id: str, username: str, body: UserChange) -> Response[User]:
    """Change the role, disable or enable. Needs If-Match with the user's ETag, and that you manage all of the user's
    counties. It ends the user's sessions; an access token that was given opens the API for 15 minutes at most.
    """
    return _shown(changes.change(county_id, username, body, expected_version=api.required_version(), caller=api.caller))


@api.delete(_ONE, permission=Permission.MANAGE_USERS, summary="Remove a user from a county")
def remove_user(county_id: str, username: str) -> Response[Any]:
    """The user works for the county no longer, and is signed out. What other counties the user has stays."""
    changes.remove(county_id, username, caller=api.caller)
    return no_content()


@api.post(f"{_ONE}/reset-password", permission=Permission.MANAGE_USERS, summary="Reset a user's password")
def reset_password(county_id: str, username: str) -> Response[User]:
    """Mail a password that the next sign-in replaces. It ends the user's sessions, and revokes the user's keys."""
    return _shown(changes.reset_password(county_id, username, caller=api.caller))


@api.post(f"{_ONE}/resend-invitation", permission=Permission.MANAGE_USERS, summary="Send an invitation again")
def resend_invitation(county_id: str, username: str) -> Response[User]:
    """Mail the invitation again, with a new password of three days."""
    return _shown(changes.resend_invitation(county_id, username, caller=api.caller))


def _shown(member: Member, status: int = 200) -> Response[User]:
    return answer(member.described, status, version=member.row.version)
