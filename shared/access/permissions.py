"""Roles and the permissions they carry: the one table that scopes, groups and documentation derive from."""

from enum import StrEnum

SCOPE_PREFIX = "terrafusion/"
"""Identifier of the Cognito resource server; a scope is this prefix and a permission."""


class Permission(StrEnum):
    """Permissions of callers. An API method requires exactly one."""

    SIGN_IN = "sign_in"  # every signed-in caller has it: it tells an access token from an ID token
    VIEW_PROPERTIES = "view_properties"
    EDIT_PROPERTY = "edit_property"
    VIEW_SYNC = "view_sync"
    RUN_SYNC = "run_sync"
    APPROVE_SYNC = "approve_sync"
    VIEW_VALUATION = "view_valuation"
    RUN_VALUATION = "run_valuation"
    APPROVE_VALUATION = "approve_valuation"
    VIEW_MARKET_ANALYSIS = "view_market_analysis"
    RUN_MARKET_ANALYSIS = "run_market_analysis"
    VIEW_REPORT = "view_report"
    RUN_REPORT = "run_report"
    APPROVE_REPORT = "approve_report"
    VIEW_GIS_EXPORT = "view_gis_export"
    RUN_GIS_EXPORT = "run_gis_export"
    VIEW_UPLOADS = "view_uploads"
    UPLOAD_FILE = "upload_file"
    APPROVE_UPLOAD = "approve_upload"
    VIEW_AUDIT_LOG = "view_audit_log"
    MANAGE_COUNTY = "manage_county"
    MANAGE_USERS = "manage_users"
    ONBOARD_COUNTY = "onboard_county"  # any county, by the platform's operator

    @property
    def scope(self) -> str:
        """The OAuth scope that stands for this permission in an access token."""
        return SCOPE_PREFIX + self.value


PLATFORM_PERMISSIONS = frozenset({Permission.ONBOARD_COUNTY})
"""Permissions of the platform, which no county can grant: they reach beyond the county's own resources."""


class Role(StrEnum):
    """A caller's role; the name of the Cognito group."""

    ASSESSOR = "Assessor"
    VALUATION_STAFF = "ValuationStaff"
    REPORTING_STAFF = "ReportingStaff"
    IT_ADMIN = "ITAdmin"
    AUDITOR = "Auditor"
    PLATFORM_OPERATOR = "PlatformOperator"


COUNTY_ROLES = frozenset(Role) - {Role.PLATFORM_OPERATOR}
"""Roles of a county's own staff, which the county can refine."""

VIEW_PERMISSIONS = frozenset(p for p in Permission if p.startswith("view_"))
"""Permissions that only read: all that an access key can have."""

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ASSESSOR: VIEW_PERMISSIONS
    | {
        Permission.SIGN_IN,
        Permission.EDIT_PROPERTY,
        Permission.RUN_VALUATION,
        Permission.APPROVE_VALUATION,
        Permission.RUN_REPORT,
        Permission.APPROVE_REPORT,
        Permission.RUN_MARKET_ANALYSIS,
        Permission.RUN_GIS_EXPORT,
        Permission.UPLOAD_FILE,
        Permission.APPROVE_UPLOAD,
    },
    Role.VALUATION_STAFF: frozenset(
        {
            Permission.SIGN_IN,
            Permission.VIEW_PROPERTIES,
            Permission.RUN_VALUATION,
            Permission.VIEW_VALUATION,
            Permission.RUN_MARKET_ANALYSIS,
            Permission.VIEW_MARKET_ANALYSIS,
        }
    ),
    Role.REPORTING_STAFF: frozenset(
        {
            Permission.SIGN_IN,
            Permission.VIEW_PROPERTIES,
            Permission.RUN_REPORT,
            Permission.VIEW_REPORT,
            Permission.RUN_GIS_EXPORT,
            Permission.VIEW_GIS_EXPORT,
        }
    ),
    Role.IT_ADMIN: frozenset(Permission) - PLATFORM_PERMISSIONS,
    Role.AUDITOR: VIEW_PERMISSIONS | {Permission.SIGN_IN},
    Role.PLATFORM_OPERATOR: PLATFORM_PERMISSIONS | {Permission.SIGN_IN, Permission.MANAGE_COUNTY},
}
