"""Scopes and claims of a user's tokens, from the user's groups and counties."""

from collections.abc import Mapping
from typing import Any

from shared.counties.user_permissions import COUNTIES_ATTRIBUTE, counties_of, permissions_of, roles_of


def claims_and_scopes(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to Cognito's token request: claims to add to each token, and the access token's scopes."""
    counties = counties_of(request["userAttributes"].get(COUNTIES_ATTRIBUTE, ""))
    roles = roles_of(request.get("groupConfiguration", {}).get("groupsToOverride") or [])
    permissions = permissions_of(roles, counties)
    claims = {**permissions.claims(), "roles": " ".join(roles)}
    return {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {"claimsToAddOrOverride": {"counties": claims["counties"], "roles": claims["roles"]}},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": claims,
                "scopesToAdd": sorted(permission.scope for permission in permissions.anywhere),
            },
        }
    }
