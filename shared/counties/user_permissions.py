"""A user's permissions in each county: those of the roles, as each county refines them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, select

from shared.access import PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role
from shared.counties.configuration import RbacSettings
from shared.db import retry_read, unit_of_work
from shared.db.models import County

COUNTIES_ATTRIBUTE = "custom:counties"
"""The user's attribute with the ids of the counties, separated by blanks."""


@dataclass(frozen=True)
class UserPermissions:
    """Permissions by county, and those that reach beyond counties."""

    by_county: Mapping[str, frozenset[Permission]]
    beyond: frozenset[Permission] = frozenset()

    @cached_property
    def anywhere(self) -> frozenset[Permission]:
        """The permissions in at least one county, or beyond: the scopes of a token."""
        return self.beyond.union(*self.by_county.values())

    def claims(self) -> dict[str, str]:
        """The claims of counties, and of what counties withhold that others allow; `Caller` reads them."""
        claims = {"counties": " ".join(self.by_county)}
        withheld = {
            county: sorted(self.anywhere - permissions - PLATFORM_PERMISSIONS)
            for county, permissions in self.by_county.items()
        }
        if any(withheld.values()):
            claims["withheld"] = json.dumps({county: names for county, names in withheld.items() if names})
        return claims

    def only(self, selected: Mapping[str, frozenset[Permission]]) -> "UserPermissions":
        """Those that are among the selected ones of a county, and nothing beyond; no county where none is left."""
        remaining = {c: self.by_county.get(c, frozenset()) & permissions for c, permissions in selected.items()}
        return UserPermissions({county: allowed for county, allowed in remaining.items() if allowed})


def counties_of(attribute: str) -> list[str]:
    """The counties that the users' attribute lists."""
    return sorted(set(attribute.split()))


def roles_of(groups: Iterable[str]) -> list[Role]:
    """The roles among a user's groups."""
    return [Role(group) for group in groups if group in set(Role)]


def permissions_of(roles: Iterable[Role], counties: Iterable[str]) -> UserPermissions:
    """The permissions of a user of these roles who works for these counties, as the counties' configurations are now.

    Reads the database.
    """
    roles, counties = list(roles), list(counties)
    by_county = permissions_by_county(roles, counties, retry_read(lambda: _rbac_settings(counties)))
    of_roles = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
    beyond = of_roles & PLATFORM_PERMISSIONS if counties else of_roles
    return UserPermissions(by_county, beyond | {Permission.SIGN_IN})


def permissions_by_county(
    roles: Iterable[Role], counties: Iterable[str], refined_by_county: Mapping[str, RbacSettings]
) -> dict[str, frozenset[Permission]]:
    """Permissions of the roles in each county: the platform's table with the county's own grants and revocations."""
    roles = list(roles)
    allowed = {}
    for county in counties:
        refined = refined_by_county.get(county, RbacSettings())
        permissions = frozenset[Permission]().union(*(refined.permissions_of(role) for role in roles))
        allowed[county] = (permissions - PLATFORM_PERMISSIONS) | {Permission.SIGN_IN}
    return allowed


def _rbac_settings(counties: list[str]) -> dict[str, RbacSettings]:
    if not counties:
        return {}
    with unit_of_work(*counties) as connection:
        return refinements(connection)


def refinements(connection: Connection) -> dict[str, RbacSettings]:
    """Refinements of the roles, by county, of the counties that the transaction may read and that are onboarded."""
    rows = connection.execute(select(County.county_id, County.configuration["rbac_settings"].label("rbac")))
    return {row.county_id: RbacSettings.model_validate(row.rbac or {}) for row in rows}
