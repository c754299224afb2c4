"""Who may do what: permissions, roles, and the caller of a request."""

from shared.access.caller import Caller
from shared.access.permissions import (
    COUNTY_ROLES,
    PLATFORM_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PREFIX,
    VIEW_PERMISSIONS,
    Permission,
    Role,
)
from shared.access.route_access import Access, access_of

__all__ = [
    "COUNTY_ROLES",
    "PLATFORM_PERMISSIONS",
    "ROLE_PERMISSIONS",
    "SCOPE_PREFIX",
    "VIEW_PERMISSIONS",
    "Access",
    "Caller",
    "Permission",
    "Role",
    "access_of",
]
