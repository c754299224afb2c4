"""Changes of users in the pool; what Cognito refuses becomes a problem."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from shared.access import COUNTY_ROLES, Role
from shared.aws import client
from shared.counties.user_permissions import COUNTIES_ATTRIBUTE
from shared.problems import Conflict, NotFound, Problem, ServiceUnavailable, TooManyRequests, Unprocessable
from shared.settings import settings
from shared.user_pool import PoolUser, counties_value

FORCE_CHANGE_PASSWORD = "FORCE_CHANGE_PASSWORD"  # noqa: S105 - Cognito's word for a status
"""A user's status as long as the password is one that was sent by mail."""

_logger = Logger(service="users")


@contextmanager
def refusals() -> Iterator[None]:
    """Raise the problem that a refusal of Cognito's is to the caller."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _problem(error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")) from error
    except BotoCoreError as error:
        raise _unavailable() from error


def create(username: str, county_id: str) -> None:
    """Create a user who works for a county; Cognito sends the invitation with a password of three days.

    Raises Conflict where there is one of the name.
    """
    client("cognito-idp").admin_create_user(
        UserPoolId=settings().user_pool_id,
        Username=username,
        UserAttributes=[
            {"Name": "email", "Value": username},
            {"Name": "email_verified", "Value": "true"},
            {"Name": COUNTIES_ATTRIBUTE, "Value": county_id},
        ],
        DesiredDeliveryMediums=["EMAIL"],
    )


def send_invitation(username: str) -> None:
    """Send the invitation again, with a new password of three days. The user must not have set one."""
    client("cognito-idp").admin_create_user(
        UserPoolId=settings().user_pool_id,
        Username=username,
        MessageAction="RESEND",
        DesiredDeliveryMediums=["EMAIL"],
    )


def reset_password(username: str) -> None:
    """End a user's password, second factor and sessions, and send a new password that the next sign-in replaces.

    Cognito's own AdminResetUserPassword mails a code for its ForgotPassword flow; this way a reset ends in the same
    challenge as an invitation, and wants no verified address.
    """
    unknown = secrets.token_urlsafe(48) + "aA1!"  # of every class of characters that the pool's policy asks for
    client("cognito-idp").admin_set_user_password(
        UserPoolId=settings().user_pool_id, Username=username, Password=unknown, Permanent=False
    )
    client("cognito-idp").admin_set_user_mfa_preference(
        UserPoolId=settings().user_pool_id,
        Username=username,
        SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
    )
    sign_out(username)
    send_invitation(username)


def set_counties(username: str, counties: Iterable[str]) -> None:
    """Replace the counties that a user works for. Raises Unprocessable where they are too many."""
    value = counties_value(counties)
    if value is None:
        raise Unprocessable(
            "This user works for as many counties as one can: invite another address.",
            pointer="/body/email",
            slug="too-many-counties",
        )
    client("cognito-idp").admin_update_user_attributes(
        UserPoolId=settings().user_pool_id,
        Username=username,
        UserAttributes=[{"Name": COUNTIES_ATTRIBUTE, "Value": value}],
    )


def set_role(user: PoolUser | None, username: str, role: Role) -> None:
    """Give a user one role in place of those of before: the new one first, so that a failure can be repeated."""
    cognito, pool = client("cognito-idp"), settings().user_pool_id
    before = frozenset(user.roles if user is not None else ())
    if role not in before:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=role.value)
    for other in sorted((before & COUNTY_ROLES) - {role}):
        cognito.admin_remove_user_from_group(UserPoolId=pool, Username=username, GroupName=other.value)


def set_enabled(username: str, *, enabled: bool) -> None:
    """Let a user sign in, or not."""
    cognito, pool = client("cognito-idp"), settings().user_pool_id
    if enabled:
        cognito.admin_enable_user(UserPoolId=pool, Username=username)
    else:
        cognito.admin_disable_user(UserPoolId=pool, Username=username)


def sign_out(username: str) -> None:
    """End a user's refresh tokens. An access token opens the API until it expires, for 15 minutes at most."""
    client("cognito-idp").admin_user_global_sign_out(UserPoolId=settings().user_pool_id, Username=username)


def not_invitable() -> Conflict:
    """The problem of every address that the caller cannot invite; which of the reasons it is stays unsaid."""
    return Conflict(
        "This address cannot be invited from here. The platform's operator can say why, and add it.",
        slug="user-not-invitable",
    )


def _problem(code: str, message: str) -> Problem:
    match code:
        case "UsernameExistsException" | "AliasExistsException":
            return not_invitable()
        case "UserNotFoundException":
            return NotFound("There is no such user.", slug="user-not-found")
        case "InvalidParameterException" | "InvalidPasswordException":
            return Unprocessable(f"Cognito refuses this: {message}", slug="user-refused")
        case "UnsupportedUserStateException" | "NotAuthorizedException":
            return Conflict("The user's present state does not allow this.", slug="user-state")
        case "CodeDeliveryFailureException":
            return Conflict("The mail could not be sent: check the address.", slug="mail-not-sent")
        case "TooManyRequestsException" | "LimitExceededException":
            return TooManyRequests("Too many changes of users at once: wait a minute.")
        case _:
            _logger.error("the user pool refused a change", code=code, reason=message)
            return _unavailable()


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Users cannot be read or changed at the moment. Try again in a few seconds.", slug="user-pool-unavailable"
    )
