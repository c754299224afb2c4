"""The caller of a request, told from the claims that the gateway has verified, and from nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.access.permissions import SCOPE_PREFIX, Permission
from shared.problems import Forbidden

_PERMISSION_OF_SCOPE = {p.scope: p for p in Permission}


@dataclass(frozen=True)
class Caller:
    """Who calls: `county_ids` are the counties of the caller, `permissions` what the roles allow in all of them.

    `withheld` holds, for a county that refines the roles, the permissions that the caller has elsewhere but
    not there.
    """

    subject: str
    username: str
    county_ids: frozenset[str]
    permissions: frozenset[Permission]
    roles: tuple[str, ...] = ()
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)
    key_id: str | None = None
    """The access key that was sent in place of a token; subject and name are its owner's."""

    @classmethod
    def from_claims(cls, claims: Mapping[str, str]) -> "Caller":
        """Read the claims of a verified access token or key (all strings, as API Gateway passes them on)."""
        scopes = claims.get("scope", "").split()
        withheld = claims.get("withheld")
        return cls(
            subject=claims.get("sub", ""),
            username=claims.get("username", ""),
            county_ids=frozenset(claims.get("counties", "").split()),
            permissions=frozenset(_PERMISSION_OF_SCOPE[s] for s in scopes if s in _PERMISSION_OF_SCOPE),
            roles=tuple(claims.get("roles", "").split()),
            withheld={c: frozenset(p) for c, p in json.loads(withheld).items()} if withheld else {},
            key_id=claims.get("key_id"),
        )

    @property
    def is_anonymous(self) -> bool:
        """True for a caller without credentials, whom a route of `Access.OPEN` lets in."""
        return not self.subject

    def may(self, county_id: str, permission: Permission) -> bool:
        """True where the caller has a permission in a county of his."""
        return permission in self.permissions and permission not in self.withheld.get(county_id, ())

    def permissions_in(self, county_id: str) -> frozenset[Permission]:
        """The caller's permissions in a county."""
        if county_id not in self.county_ids:
            return frozenset()
        return self.permissions - self.withheld.get(county_id, frozenset())

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the caller has the permission at all."""
        if permission not in self.permissions:
            raise Forbidden(
                f"This needs the permission {permission}, which none of your roles has."
                if self.key_id is None
                else f"This needs the permission {permission}, which this key does not have.",
                slug="permission-missing",
            )

    def require_county(self, county_id: str, permission: Permission) -> None:
        """Raise Forbidden unless `county_id` is one of the caller's counties and allows the permission."""
        if county_id not in self.county_ids:
            raise Forbidden(f"{county_id} is not one of your counties.", slug="county-not-permitted")
        if permission in self.withheld.get(county_id, ()):
            raise Forbidden(
                f"{county_id} does not allow {permission} to your role ({SCOPE_PREFIX}{permission}).",
                slug="permission-withheld",
            )
