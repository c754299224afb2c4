"""The counties that a user works for: an attribute of the user in the pool, which users cannot write."""

from shared.aws import client
from shared.counties.user_permissions import COUNTIES_ATTRIBUTE, counties_of
from shared.problems import Conflict
from shared.settings import settings
from shared.user_pool import counties_value


def add_county_to_user(username: str, county_id: str) -> None:
    """Let a user work for a county too; it is in the next token that the user is given.

    The attribute is read and written as a whole: call it with the user locked. Raises Conflict where it is full.
    """
    cognito = client("cognito-idp")
    user = cognito.admin_get_user(UserPoolId=settings().user_pool_id, Username=username)
    attributes = {attribute["Name"]: attribute.get("Value", "") for attribute in user["UserAttributes"]}
    counties = counties_of(attributes.get(COUNTIES_ATTRIBUTE, ""))
    if county_id in counties:
        return
    value = counties_value([*counties, county_id])
    if value is None:
        raise Conflict(
            f"{username} works for {len(counties)} counties, and for no more: take some away, or onboard as another"
            " user.",
            slug="too-many-counties",
        )
    cognito.admin_update_user_attributes(
        UserPoolId=settings().user_pool_id,
        Username=username,
        UserAttributes=[{"Name": COUNTIES_ATTRIBUTE, "Value": value}],
    )
