"""Scopes and claims of a user's tokens, from the user's groups and counties."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from functions.auth import repository
from shared.access import PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role
from shared.counties.configuration import RbacSettings
from shared.db import retry_read, unit_of_work

COUNTIES_ATTRIBUTE = "custom:counties"


def claims_and_scopes(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to Cognito's token request: claims to add to each token, and the access token's scopes."""
    counties = sorted(set(request["userAttributes"].get(COUNTIES_ATTRIBUTE, "").split()))
    groups = request.get("groupConfiguration", {}).get("groupsToOverride") or []
    roles = [Role(group) for group in groups if group in set(Role)]
    allowed = permissions_by_county(roles, counties, retry_read(lambda: _rbac_settings(counties)))
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
    return {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {"claimsToAddOrOverride": {"counties": claims["counties"], "roles": claims["roles"]}},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": claims,
                "scopesToAdd": sorted(permission.scope for permission in anywhere),
            },
        }
    }


def permissions_by_county(
    roles: Iterable[Role], counties: Iterable[str], refinements: Mapping[str, RbacSettings]
) -> dict[str, frozenset[Permission]]:
    """Permissions of the roles in each county: the platform's table with the county's own grants and revocations."""
    roles = list(roles)
    allowed = {}
    for county in counties:
        refined = refinements.get(county, RbacSettings())
        permissions = frozenset[Permission]().union(*(refined.permissions_of(role) for role in roles))
        allowed[county] = (permissions - PLATFORM_PERMISSIONS) | {Permission.SIGN_IN}
    return allowed


def _rbac_settings(counties: list[str]) -> dict[str, RbacSettings]:
    if not counties:
        return {}
    with unit_of_work(*counties) as connection:
        return repository.rbac_settings(connection)


def _of_roles(roles: Iterable[Role]) -> frozenset[Permission]:
    return frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
