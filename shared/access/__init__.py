"""Who may do what: permissions, roles, and the caller of a request."""

from shared.access.caller import Caller
from shared.access.permissions import ROLE_PERMISSIONS, SCOPE_PREFIX, Permission, Role

__all__ = ["ROLE_PERMISSIONS", "SCOPE_PREFIX", "Caller", "Permission", "Role"]
