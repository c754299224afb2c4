"""Who may do what: permissions, roles, and the caller of a request."""

from shared.access.caller import Caller
from shared.access.permissions import (
    COUNTY_ROLES,
    PLATFORM_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PREFIX,
    Permission,
    Role,
)

__all__ = ["COUNTY_ROLES", "PLATFORM_PERMISSIONS", "ROLE_PERMISSIONS", "SCOPE_PREFIX", "Caller", "Permission", "Role"]
