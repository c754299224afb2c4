"""Listing, inviting, changing and removing a county's users; Cognito by moto."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.stub import Stubber
from sqlalchemy import select, text, update

from functions.audit.handler import handler as audit
from functions.auth import repository as sign_ins
from functions.auth.pre_token import handler as pre_token
from functions.users.handler import handler
from functions.users.service import pool
from shared.access import ROLE_PERMISSIONS, Permission, Role
from shared.aws import client
from shared.db import unit_of_work
from shared.db.models import AccessKey, County, CountyMember
from shared.problems import ServiceUnavailable, Unprocessable
from shared.user_pool import MAX_COUNTIES_LENGTH, find
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.keys.world import AUDIT, COUNTY, OTHER, World

ALL = "/v1/counties/{county_id}/users"
ONE = ALL + "/{username}"
NEW = "new.person@benton.gov"


@pytest.fixture
def admin(users: World) -> dict[str, str]:
    """The claims of an administrator of king_wa, who has signed in."""
    return joined(users, "admin", Role.IT_ADMIN, COUNTY)


def sign_in(username: str, counties: str, trigger: str = "TokenGeneration_Authentication") -> dict[str, Any]:
    request = {"userAttributes": {"custom:counties": counties}, "groupConfiguration": {"groupsToOverride": []}}
    answered: dict[str, Any] = pre_token(
        {"triggerSource": trigger, "userName": username, "request": request}, LambdaContext()
    )
    return answered


def joined(users: World, username: str, role: Role, counties: str) -> dict[str, str]:
    """A new user who has signed in; the claims of the token."""
    subject = users.add_user(username, role, counties)
    users.cognito.admin_set_user_password(
        UserPoolId=users.pool, Username=username, Password="Chosen-Password-2", Permanent=True
    )
    sign_in(username, counties)
    return {**claims_of(role, counties.split(), username), "sub": subject}


def chief(users: World, **refined: Any) -> dict[str, str]:
    """The claims of an Assessor to whom the county has granted the management of users."""
    roles = {"Assessor": {"grant": ["manage_users"]}, **refined}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            update(County).where(County.county_id == COUNTY).values(configuration={"rbac_settings": {"roles": roles}})
        )
    scopes = ROLE_PERMISSIONS[Role.ASSESSOR] | {Permission.MANAGE_USERS}
    return {**joined(users, "chief", Role.ASSESSOR, COUNTY), "scope": " ".join(p.scope for p in scopes)}


def send(
    method: str, resource: str, claims: dict[str, str], county_id: str = COUNTY, username: str = "", **options: Any
) -> Answer:
    path = {"county_id": county_id, **({"username": username} if "{username}" in resource else {})}
    return call(handler, method, resource, path=path, claims=claims, **options)


def listed(claims: dict[str, str], county_id: str = COUNTY, **query: str) -> Any:
    return send("GET", ALL, claims, county_id, query=query).body


def names(claims: dict[str, str], county_id: str = COUNTY) -> list[str]:
    return [user["username"] for user in listed(claims, county_id)["items"]]


def invite(claims: dict[str, str], email: str = NEW, role: str = "Auditor", **options: Any) -> Answer:
    return send("POST", ALL, claims, body={"email": email, "role": role}, **options)


def change(claims: dict[str, str], username: str, county_id: str = COUNTY, if_match: str = "*", **body: Any) -> Answer:
    return send("PATCH", ONE, claims, county_id, username, body=body, headers={"If-Match": if_match})


def remove(claims: dict[str, str], username: str, county_id: str = COUNTY) -> Answer:
    return send("DELETE", ONE, claims, county_id, username)


def post(claims: dict[str, str], username: str, step: str, county_id: str = COUNTY) -> Answer:
    return send("POST", f"{ONE}/{step}", claims, county_id, username)


def problem(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["type"].rpartition(":")[2]


def actions(county_id: str = COUNTY) -> list[str]:
    claims = claims_of(Role.AUDITOR, [county_id])
    return [e["action"] for e in call(audit, "GET", AUDIT, path={"county_id": county_id}, claims=claims).body["items"]]


@contextmanager
def refusing(method: str, code: str) -> Iterator[None]:
    """Cognito that refuses a call; nothing else is asked meanwhile."""
    with Stubber(client("cognito-idp")) as stub:
        stub.add_client_error(method, code, "no")
        yield


# --- inviting


def test_an_invited_user_signs_in_with_the_mailed_password_in_the_county_and_role(
    users: World, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    made = invite(admin, email="New.Person@Benton.gov")

    assert made.status == 201
    assert made.body == {
        "username": NEW, "email": NEW, "roles": ["Auditor"], "enabled": True, "status": "invited",
        "invited_by": "admin", "invited_at": made.body["invited_at"], "last_signed_in_at": None,
    }  # fmt: skip
    user = find(NEW)
    assert user is not None
    assert (user.counties, user.roles) == ((COUNTY,), (Role.AUDITOR,))
    assert NEW in caplog.text
    assert names(admin) == ["admin", NEW]
    sign_in(NEW, COUNTY)
    assert send("GET", ONE, admin, username=NEW).body["last_signed_in_at"] is not None
    assert actions() == ["user.invited"]


def test_the_same_idempotency_key_invites_once(users: World, admin: dict[str, str]) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (invite(admin, headers=headers) for _ in range(2))

    assert (first.status, first.body) == (second.status, second.body)
    assert problem(invite(admin, email="other@benton.gov", headers=headers)) == (422, "idempotency-key-reused")
    assert problem(invite(admin)) == (409, "user-exists")
    assert actions() == ["user.invited"]


def test_only_roles_of_counties_are_given(users: World, admin: dict[str, str]) -> None:
    for role in ("PlatformOperator", "King", ""):
        refused = invite(admin, role=role)
        assert refused.status == 422
        assert refused.body["errors"][0]["pointer"] == "/body/role"
    assert find(NEW) is None


def test_an_address_that_is_none_is_refused(users: World, admin: dict[str, str]) -> None:
    for email in ("", "nobody", "a@b", "a b@c.gov", "a@b.gov\n; c@d.gov", "a/b@c.gov", "x" * 130 + "@b.gov"):
        assert invite(admin, email=email).body["errors"][0]["pointer"] == "/body/email"


def test_nobody_gives_a_role_that_allows_more_than_he_may(users: World) -> None:
    """An Assessor to whom the county has granted the management of users, and no more."""
    claims = chief(users)

    refused = invite(claims, role="ITAdmin")
    assert problem(refused) == (403, "role-not-grantable")
    assert "manage_county" in refused.body["detail"]
    assert invite(claims, role="Auditor").status == 201
    assert problem(change(claims, NEW, role="ITAdmin")) == (403, "role-not-grantable")


def test_a_role_that_the_county_has_widened_is_as_wide_as_that(users: World) -> None:
    claims = chief(users, Auditor={"grant": ["manage_county"]})

    assert problem(invite(claims, role="Auditor")) == (403, "role-not-grantable")


def test_a_user_of_the_callers_other_counties_is_added_with_the_role_that_the_user_has(users: World) -> None:
    both = joined(users, "both", Role.IT_ADMIN, f"{COUNTY} {OTHER}")
    joined(users, "clerk@x.gov", Role.AUDITOR, OTHER)

    assert problem(invite(both, email="clerk@x.gov", role="Assessor")) == (409, "other-role")
    assert invite(both, email="clerk@x.gov", role="Auditor").status == 201
    user = find("clerk@x.gov")
    assert user is not None
    assert user.counties == (COUNTY, OTHER)


def test_who_cannot_be_invited_is_not_said_to_exist_elsewhere(users: World, admin: dict[str, str]) -> None:
    """A user of another county, an operator, and one whom Cognito refuses all look the same."""
    joined(users, "elsewhere@x.gov", Role.AUDITOR, OTHER)
    users.add_user("operator@x.gov", Role.PLATFORM_OPERATOR, "")
    users.add_user("gone@x.gov", Role.AUDITOR, "")
    users.cognito.admin_disable_user(UserPoolId=users.pool, Username="gone@x.gov")

    refusals = [invite(admin, email=f"{name}@x.gov") for name in ("elsewhere", "operator", "gone")]
    assert {problem(refused) for refused in refusals} == {(409, "user-not-invitable")}
    (detail,) = {refused.body["detail"] for refused in refusals}
    assert OTHER not in detail
    assert names(admin) == ["admin"]
    assert actions() == []


def test_a_user_without_counties_is_invited_like_a_new_one_and_loses_the_former_role(
    users: World, admin: dict[str, str]
) -> None:
    invite(admin, role="ITAdmin")
    assert remove(admin, NEW).status == 204
    assert invite(admin, role="Auditor").status == 201
    assert [user["roles"] for user in listed(admin)["items"]] == [["ITAdmin"], ["Auditor"]]


def test_an_invitation_that_broke_off_is_completed_by_the_next(users: World, admin: dict[str, str]) -> None:
    users.cognito.admin_create_user(
        UserPoolId=users.pool, Username=NEW, UserAttributes=[{"Name": "custom:counties", "Value": COUNTY}]
    )
    assert invite(admin).body["roles"] == ["Auditor"]


def test_one_county_more_than_fits_is_refused(users: World) -> None:
    counties = [f"county_{number:04}" for number in range(MAX_COUNTIES_LENGTH // len("county_0000 "))]
    users.add_user("many@x.gov", Role.AUDITOR, " ".join(counties))

    with pytest.raises(Unprocessable) as refused:
        pool.set_counties("many@x.gov", [*counties, "one_too_many"])
    assert refused.value.slug == "too-many-counties"
    before = find("many@x.gov")
    assert before is not None
    assert before.counties == tuple(counties)


def test_what_cognito_refuses_is_a_clear_problem(
    users: World, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.users.service.invitations.as_of_now", lambda _connection, _county_id, caller: caller)
    monkeypatch.setattr("functions.users.service.invitations.find", lambda _: None)
    expected = {
        "UsernameExistsException": 409, "InvalidParameterException": 422, "LimitExceededException": 429,
        "TooManyRequestsException": 429, "CodeDeliveryFailureException": 409, "InternalErrorException": 503,
    }  # fmt: skip
    for code, status in expected.items():
        with refusing("admin_create_user", code):
            assert (code, invite(admin).status) == (code, status)
    assert actions() == []


# --- tenancy


def test_a_manager_sees_the_users_of_his_county_and_only_its_business(users: World, admin: dict[str, str]) -> None:
    joined(users, "both", Role.AUDITOR, f"{COUNTY} {OTHER}")
    joined(users, "elsewhere", Role.AUDITOR, OTHER)

    assert names(admin) == ["admin", "both"]
    assert OTHER not in json.dumps(listed(admin))
    for method, resource in (("GET", ONE), ("DELETE", ONE), ("POST", f"{ONE}/reset-password")):
        assert send(method, resource, admin, username="elsewhere").status == 404
    assert change(admin, "elsewhere", role="Assessor").status == 404
    assert problem(send("GET", ALL, admin, OTHER)) == (403, "county-not-permitted")


def test_a_user_of_other_counties_is_removed_and_nothing_else(users: World, admin: dict[str, str]) -> None:
    joined(users, "both", Role.AUDITOR, f"{COUNTY} {OTHER}")
    refused = [
        change(admin, "both", role="Assessor"),
        change(admin, "both", enabled=False),
        post(admin, "both", "reset-password"),
        post(admin, "both", "resend-invitation"),
    ]

    assert {problem(answer) for answer in refused} == {(403, "user-of-other-counties")}
    assert remove(admin, "both").status == 204
    user = find("both")
    assert user is not None
    assert (user.counties, user.enabled, user.roles) == ((OTHER,), True, (Role.AUDITOR,))
    assert names(admin) == ["admin"]
    assert names(joined(users, "second", Role.IT_ADMIN, OTHER), OTHER) == ["both", "second"]


def test_an_operator_of_the_platform_can_only_be_removed(users: World, admin: dict[str, str]) -> None:
    joined(users, "operator", Role.PLATFORM_OPERATOR, COUNTY)

    assert problem(change(admin, "operator", enabled=False)) == (403, "platform-operator")
    assert problem(post(admin, "operator", "reset-password")) == (403, "platform-operator")
    assert remove(admin, "operator").status == 204


def test_managing_users_needs_its_permission_in_the_county(users: World, admin: dict[str, str]) -> None:
    assert problem(invite(claims_of(Role.ASSESSOR, [COUNTY]))) == (403, "permission-missing")
    withheld = {**admin, "withheld": json.dumps({COUNTY: ["manage_users"]})}
    assert problem(invite(withheld)) == (403, "permission-withheld")


def test_users_whom_the_pool_has_no_longer_are_not_listed(users: World, admin: dict[str, str]) -> None:
    joined(users, "deleted", Role.AUDITOR, COUNTY)
    joined(users, "moved", Role.AUDITOR, COUNTY)
    users.cognito.admin_delete_user(UserPoolId=users.pool, Username="deleted")
    users.attributes("moved", counties=OTHER)

    assert names(admin) == ["admin"]
    assert send("GET", ONE, admin, username="moved").status == 404


def test_a_list_is_paged_by_name(users: World, admin: dict[str, str]) -> None:
    for name in ("b", "c", "d"):
        joined(users, name, Role.AUDITOR, COUNTY)
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = listed(admin, page_size="2", **token)
        seen += [user["username"] for user in page["items"]]
        if page["next_page_token"] is None:
            break
        token = {"page_token": page["next_page_token"]}
    assert seen == ["admin", "b", "c", "d"]


# --- changing


def test_a_role_is_changed_in_all_counties_of_the_user_and_ends_the_sessions(users: World) -> None:
    both = joined(users, "both", Role.IT_ADMIN, f"{COUNTY} {OTHER}")
    joined(users, "clerk", Role.AUDITOR, f"{COUNTY} {OTHER}")
    version = send("GET", ONE, both, username="clerk").headers["etag"]
    with signed_out_users(users) as signed_out:
        changed = change(both, "clerk", if_match=version, role="Assessor")

    assert (changed.status, changed.body["roles"]) == (200, ["Assessor"])
    assert changed.headers["etag"] != version
    assert signed_out == ["clerk"]
    assert problem(change(both, "clerk", if_match=version, enabled=False)) == (412, "precondition-failed")
    assert actions(COUNTY) == actions(OTHER) == ["user.role_changed"]


@contextmanager
def signed_out_users(users: World) -> Iterator[list[str]]:
    """Names of the users whose sessions end meanwhile."""
    from moto.cognitoidp.models import CognitoIdpUserPool

    ended: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CognitoIdpUserPool, "sign_out", lambda _pool, username: ended.append(username))
        yield ended


def test_a_disabled_user_is_signed_out_and_enabled_again(users: World, admin: dict[str, str]) -> None:
    joined(users, "clerk", Role.AUDITOR, COUNTY)
    with signed_out_users(users) as signed_out:
        assert change(admin, "clerk", enabled=False).body["enabled"] is False
        assert problem(post(admin, "clerk", "reset-password")) == (409, "user-disabled")
        assert change(admin, "clerk", enabled=True).body["enabled"] is True

    assert signed_out == ["clerk"]
    assert actions() == ["user.enabled", "user.disabled"]


def test_what_is_so_already_is_no_change(users: World, admin: dict[str, str]) -> None:
    joined(users, "clerk", Role.AUDITOR, COUNTY)
    assert change(admin, "clerk", role="Auditor", enabled=True).status == 200
    assert actions() == []


def test_a_change_needs_the_version_and_something_to_change(users: World, admin: dict[str, str]) -> None:
    assert send("PATCH", ONE, admin, username="admin", body={"enabled": True}).status == 428
    assert change(admin, "admin").status == 422
    assert change(admin, "admin", role="PlatformOperator").status == 422


def test_nobody_disables_himself(users: World, admin: dict[str, str]) -> None:
    joined(users, "second", Role.IT_ADMIN, COUNTY)
    assert problem(change(admin, "admin", enabled=False)) == (409, "own-user")


def test_a_reset_ends_password_sessions_and_keys(
    users: World, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    joined(users, "clerk", Role.AUDITOR, COUNTY)
    users.add_key(username="clerk")
    users.add_key(username="somebody")
    with signed_out_users(users) as signed_out:
        reset = post(admin, "clerk", "reset-password")

    assert (reset.status, reset.body["status"]) == (200, "password_reset")
    assert signed_out == ["clerk"]
    assert "clerk" in caplog.text
    with unit_of_work(COUNTY) as connection:
        revoked = connection.execute(select(AccessKey.owner_name, AccessKey.revoked_at.is_not(None))).all()
    assert sorted(tuple(row) for row in revoked) == [("clerk", True), ("somebody", False)]
    assert actions() == ["user.password_reset"]


def test_an_invitation_is_sent_again_until_a_password_is_set(
    users: World, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    invite(admin)
    before = find(NEW)
    assert post(admin, NEW, "resend-invitation").status == 200
    assert caplog.text.count(f"Mail to {NEW}") == 2
    assert find(NEW) == before
    assert problem(post(admin, "admin", "resend-invitation")) == (409, "invitation-accepted")


# --- the last administrator


def test_the_last_administrator_stays(users: World, admin: dict[str, str]) -> None:
    """Invited but disabled administrators, and those of another county, are none."""
    joined(users, "off", Role.IT_ADMIN, COUNTY)
    joined(users, "elsewhere", Role.IT_ADMIN, OTHER)
    users.cognito.admin_disable_user(UserPoolId=users.pool, Username="off")
    other = chief(users)

    refused = [
        remove(admin, "admin"),
        change(admin, "admin", role="Auditor"),
        remove(other, "admin"),
        change(other, "admin", role="Auditor"),
        change(other, "admin", enabled=False),
    ]
    assert {problem(answer) for answer in refused} == {(409, "last-administrator")}
    assert change(admin, "off", enabled=True).status == 200
    assert change(admin, "admin", role="Auditor").status == 200


def test_the_last_administrator_of_any_county_of_the_user_stays(users: World) -> None:
    both = joined(users, "both", Role.IT_ADMIN, f"{COUNTY} {OTHER}")
    joined(users, "admin", Role.IT_ADMIN, COUNTY)

    assert OTHER in change(both, "both", role="Auditor").body["detail"]
    assert remove(both, "both", OTHER).status == 409
    assert remove(both, "both", COUNTY).status == 204


@pytest.mark.parametrize("end", ["demote", "remove", "disable"])
def test_of_two_administrators_who_end_each_other_at_once_one_stays(users: World, end: str) -> None:
    claims = {name: joined(users, name, Role.IT_ADMIN, COUNTY) for name in ("one", "two")}

    def act(caller: str, target: str) -> int:
        if end == "remove":
            return remove(claims[caller], target).status
        body: dict[str, Any] = {"role": "Auditor"} if end == "demote" else {"enabled": False}
        return change(claims[caller], target, **body).status

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(act, ("one", "two"), ("two", "one")))

    assert statuses[0] in (200, 204)
    assert statuses[1] in (403, 409)  # who comes later is the last one, or has seen that he is none any more
    left = [user for user in map(find, ("one", "two")) if user and user.enabled and COUNTY in user.counties]
    assert [user.roles for user in left].count((Role.IT_ADMIN,)) == 1


@pytest.mark.parametrize("end", [{"role": "Auditor"}, {"enabled": False}, None], ids=["demoted", "disabled", "removed"])
def test_who_was_ended_undoes_nothing_by_a_token_of_before(
    users: World, admin: dict[str, str], end: dict[str, Any] | None
) -> None:
    before = joined(users, "second", Role.IT_ADMIN, COUNTY)
    assert (change(admin, "second", **end) if end else remove(admin, "second")).status in (200, 204)

    attempts = [
        change(before, "second", role="ITAdmin"), change(before, "admin", enabled=False),
        remove(before, "admin"), invite(before, email="second", role="ITAdmin"), invite(before),
        post(before, "admin", "reset-password"),
    ]  # fmt: skip
    assert {answer.status for answer in attempts} <= {403, 422}
    assert find(NEW) is None
    assert names(admin) == (["admin", "second"] if end else ["admin"])


# --- noting sign-ins


def sign_in_moments() -> dict[str, Any]:
    with unit_of_work(COUNTY, OTHER) as connection:
        rows = connection.execute(select(CountyMember.county_id, CountyMember.last_signed_in_at))
        return {row.county_id: row.last_signed_in_at for row in rows}


def test_a_sign_in_is_noted_in_each_county_and_a_renewal_is_not(users: World) -> None:
    sign_in("somebody", f"{COUNTY} {OTHER}", "TokenGeneration_RefreshTokens")
    assert sign_in_moments() == {}
    sign_in("somebody", f"{COUNTY} {OTHER}")
    first = sign_in_moments()
    sign_in("somebody", COUNTY)
    second = sign_in_moments()

    assert first.keys() == {COUNTY, OTHER}
    assert second[COUNTY] > first[COUNTY]
    assert second[OTHER] == first[OTHER]


def test_a_sign_in_that_cannot_be_noted_goes_on(users: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ServiceUnavailable("away")

    monkeypatch.setattr(sign_ins, "note_sign_in", fail)
    assert "claimsAndScopeOverrideDetails" in sign_in("somebody", COUNTY)["response"]
    assert sign_in_moments() == {}


def test_a_sign_in_does_not_wait_for_who_holds_its_note(users: World) -> None:
    sign_in("somebody", COUNTY)
    before = sign_in_moments()
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE county_members SET version = 2"))
        assert "claimsAndScopeOverrideDetails" in sign_in("somebody", COUNTY)["response"]
    assert sign_in_moments() == before
