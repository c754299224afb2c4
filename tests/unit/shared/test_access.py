"""Roles, permissions and the caller; the table of DESIGN, and what the token trigger makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access import COUNTY_ROLES, PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Caller, Permission, Role
from shared.counties.configuration import RbacSettings, RoleRefinement
from shared.counties.user_permissions import permissions_by_county
from shared.problems import Forbidden

PUBLISHED = {
    Role.ASSESSOR: "view_properties edit_property view_sync run_valuation view_valuation approve_valuation run_report"
    " view_report approve_report run_market_analysis view_market_analysis run_gis_export view_gis_export view_uploads"
    " upload_file approve_upload view_audit_log",
    Role.VALUATION_STAFF: "view_properties run_valuation view_valuation run_market_analysis view_market_analysis",
    Role.REPORTING_STAFF: "view_properties run_report view_report run_gis_export view_gis_export",
    Role.AUDITOR: "view_properties view_sync view_valuation view_report view_market_analysis view_gis_export"
    " view_uploads view_audit_log",
}


@pytest.mark.parametrize("role", PUBLISHED)
def test_a_role_has_the_published_permissions_and_no_other(role: Role) -> None:
    assert ROLE_PERMISSIONS[role] - {Permission.SIGN_IN} == {Permission(p) for p in PUBLISHED[role].split()}


def test_the_it_administrator_may_do_everything_in_his_county_and_nothing_beyond() -> None:
    assert ROLE_PERMISSIONS[Role.IT_ADMIN] == set(Permission) - PLATFORM_PERMISSIONS


def test_the_platforms_permissions_are_its_operators_alone() -> None:
    assert {r for r in Role if ROLE_PERMISSIONS[r] & PLATFORM_PERMISSIONS} == {Role.PLATFORM_OPERATOR}
    assert Role.PLATFORM_OPERATOR not in COUNTY_ROLES


def test_an_auditor_can_change_nothing() -> None:
    assert all(p is Permission.SIGN_IN or p.startswith("view_") for p in ROLE_PERMISSIONS[Role.AUDITOR])


@given(
    st.sets(st.sampled_from(list(Role))),
    st.frozensets(st.sampled_from(sorted(set(Permission) - PLATFORM_PERMISSIONS))),
    st.frozensets(st.sampled_from(sorted(set(Permission) - PLATFORM_PERMISSIONS))),
)
def test_a_county_refines_its_roles_and_nobody_elses(
    roles: set[Role], grant: frozenset[Permission], revoke: frozenset[Permission]
) -> None:
    refined = RbacSettings(roles={Role.AUDITOR: RoleRefinement(grant=grant, revoke=revoke)})

    allowed = permissions_by_county(roles, ["king_wa", "lucas_oh"], {"king_wa": refined})

    usual = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles)) | {Permission.SIGN_IN}
    usual -= PLATFORM_PERMISSIONS
    assert allowed["lucas_oh"] == usual
    if Role.AUDITOR in roles:
        others = frozenset[Permission]().union(*(ROLE_PERMISSIONS[r] for r in roles - {Role.AUDITOR}))
        assert not (allowed["king_wa"] & revoke) - others - {Permission.SIGN_IN}
        assert grant - revoke <= allowed["king_wa"]
    else:
        assert allowed["king_wa"] == usual


def test_claims_are_read_as_the_gateway_passes_them() -> None:
    caller = Caller.from_claims(
        {
            "sub": "s",
            "username": "u",
            "scope": "terrafusion/view_properties aws.cognito.signin.user.admin terrafusion/unheard_of",
            "counties": "king_wa lucas_oh",
            "withheld": '{"lucas_oh": ["view_properties"]}',
        }
    )

    assert caller.permissions == {Permission.VIEW_PROPERTIES}
    caller.require_county("king_wa", Permission.VIEW_PROPERTIES)
    for county in ("lucas_oh", "nowhere_wa"):
        with pytest.raises(Forbidden):
            caller.require_county(county, Permission.VIEW_PROPERTIES)


def test_without_claims_a_caller_may_do_nothing() -> None:
    caller = Caller.from_claims({})
    for permission in Permission:
        with pytest.raises(Forbidden):
            caller.require(permission)
