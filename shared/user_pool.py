"""Users of the pool, as Cognito has them now."""

from dataclasses import dataclass

from shared.access import Role
from shared.aws import client
from shared.counties.user_permissions import COUNTIES_ATTRIBUTE, counties_of, roles_of
from shared.settings import settings


@dataclass(frozen=True)
class PoolUser:
    """A user: `subject` is the id that stays, `username` the name to sign in with."""

    username: str
    subject: str
    enabled: bool
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
        enabled=user["Enabled"],
        counties=tuple(counties_of(attributes.get(COUNTIES_ATTRIBUTE, ""))),
        roles=tuple(roles_of(group["GroupName"] for group in groups["Groups"])),
    )
