"""Cognito's pre-token-generation trigger (event version 2): groups become scopes, the user's counties a claim.

The gateway then refuses what no role of the caller allows, and the handlers read the counties from a claim that
Cognito has signed.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from functions.auth.repository import rbac_settings_of
from shared.access import PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role
from shared.counties.configuration import RbacSettings
from shared.db import retry_read
from shared.db.limits import SIGN_IN, limited
from shared.observability import lambda_entry

COUNTIES_ATTRIBUTE = "custom:counties"


@lambda_entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fill the response of a token request; the event is Cognito's, and goes back to it."""
    request = event["request"]
    counties = sorted(set(request["userAttributes"].get(COUNTIES_ATTRIBUTE, "").split()))
    groups = request.get("groupConfiguration", {}).get("groupsToOverride") or []
    roles = [Role(group) for group in groups if group in set(Role)]
    with limited(SIGN_IN):
        refinements = retry_read(lambda: rbac_settings_of(counties))
    allowed = permissions_by_county(roles, counties, refinements)
    anywhere = frozenset[Permission]().union(*allowed.values()) | {Permission.SIGN_IN}
    if not counties:
        anywhere |= _of_roles(roles)
    anywhere |= _of_roles(roles) & PLATFORM_PERMISSIONS
    claims: dict[str, Any] = {"counties": " ".join(counties), "roles": " ".join(roles)}
    withheld = {
        county: sorted(anywhere - permissions - PLATFORM_PERMISSIONS) for county, permissions in allowed.items()
    }
    if any(withheld.values()):
        claims["withheld"] = json.dumps({county: names for county, names in withheld.items() if names})
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {"claimsToAddOrOverride": {"counties": claims["counties"], "roles": claims["roles"]}},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": claims,
                "scopesToAdd": sorted(permission.scope for permission in anywhere),
            },
        }
    }
    return event


def permissions_by_county(
    roles: Iterable[Role], counties: Iterable[str], refinements: Mapping[str, RbacSettings]
) -> dict[str, frozenset[Permission]]:
    """What the roles allow in each county: the platform's table, with the county's own grants and revocations."""
    roles = list(roles)
    allowed = {}
    for county in counties:
        refined = refinements.get(county, RbacSettings())
        permissions = frozenset[Permission]().union(*(refined.permissions_of(role) for role in roles))
        allowed[county] = (permissions - PLATFORM_PERMISSIONS) | {Permission.SIGN_IN}
    return allowed


def _of_roles(roles: Iterable[Role]) -> frozenset[Permission]:
    return frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
