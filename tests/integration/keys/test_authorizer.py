"""The gateway's authorizer: which credentials open a route that reads, and for how long after they should not."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import update

from functions.keys.service.credentials import UnauthorizedError
from functions.keys.service.presented_keys import REMEMBERED_S
from functions.properties.handler import handler as properties
from functions.sales_validation.handler import handler as sales
from infra.local.aws.policies import Access, allows, statements
from shared.access import Caller, Role, key_secret
from shared.counties.configuration import RbacSettings
from shared.db import unit_of_work
from shared.db.models import AccessKey, County
from tests.gateway import call
from tests.integration.keys.world import (
    ARN,
    AUDIT,
    COUNTY,
    ISSUER,
    KEY_ID,
    OTHER,
    PROPERTIES,
    SIGNING_KEY,
    World,
    access_token,
    authorized,
    basic,
    bearer,
    status,
)


def altered_checksum(secret: str) -> str:
    return secret[:-1] + ("0" if secret[-1] != "0" else "1")


def test_a_key_opens_what_it_was_made_for_as_basic_and_as_bearer(keys: World) -> None:
    secret, key_id = keys.add_key()

    for headers in (bearer(secret), basic(secret), basic(secret, str(key_id)), basic(secret, "Zoë"), basic(secret, "")):
        answer = authorized(headers)
        caller = Caller.from_claims(answer["context"])
        assert (caller.username, caller.key_id, caller.county_ids) == ("somebody", str(key_id), frozenset({COUNTY}))
        assert caller.permissions == {"view_properties"}
        assert status(headers, AUDIT) == 403


@pytest.mark.parametrize(
    "spoil",
    [
        str.lower,
        str.swapcase,
        altered_checksum,
        lambda secret: secret[:-1],
        lambda secret: secret + "0",
        lambda secret: secret[4:],
        lambda secret: f"{secret}{secret}",
        lambda secret: secret.replace("tfk_", "tfk-"),
        lambda _: key_secret.new_secret(),
        lambda _: "",
    ],
    ids=["lower", "swapped", "checksum", "truncated", "longer", "no prefix", "twice", "prefix", "unknown", "empty"],
)
def test_a_key_that_was_not_made_opens_nothing(keys: World, spoil: object) -> None:
    secret, _ = keys.add_key()
    other = spoil(secret)  # type: ignore[operator]

    assert other != secret
    assert status(bearer(other)) == 401
    assert status(basic(other)) == 401


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.urlsafe_b64encode(b"a:\xfb\xff\xbf").decode(),
        "Basic " + base64.b64encode("a:KEY".encode("utf-16")).decode(),
        "Basic " + base64.b64encode(b"KEY").decode(),
        "Basic " + base64.b64encode(b"a:KEY\x00").decode(),
        "Basic " + base64.b64encode(b"a:b:KEY").decode(),
        "Basic " + base64.b64encode(b"KEY:").decode(),
        "Bearer",
        "Bearer KEY KEY",
        "Negotiate KEY",
        "Digest username=KEY",
        "",
        " ",
        "KEY,KEY",
        "é",
        "Bearer " + "x" * 100_000,
    ],
)
def test_a_header_that_cannot_be_read_opens_nothing(keys: World, value: str) -> None:
    secret, _ = keys.add_key()
    if value.startswith("Basic ") and b"KEY" in (content := base64.b64decode(value[6:] + "==", altchars=b"-_")):
        value = "Basic " + base64.b64encode(content.replace(b"KEY", secret.encode())).decode()

    assert status({"Authorization": [value.replace("KEY", secret)]}) == 401


def test_a_refusal_has_the_message_from_which_the_gateway_makes_its_401(keys: World) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorized(bearer(key_secret.new_secret()))


def test_several_headers_or_none_open_nothing(keys: World) -> None:
    secret, _ = keys.add_key()

    assert status({}) == 401
    assert status({"Authorization": [f"Bearer {secret}"] * 2}) == 401
    assert status({"authorization": [f"Bearer {secret}"], "Authorization": [f"Bearer {access_token()}"]}) == 401
    assert status({"X-Api-Key": [secret], "Cookie": [f"key={secret}"]}) == 401


def test_a_key_ends_when_it_expires_or_is_revoked(keys: World) -> None:
    now = datetime.now(UTC)
    expired, _ = keys.add_key(expires_at=now - timedelta(seconds=1))
    revoked, _ = keys.add_key(revoked_at=now)

    assert (status(bearer(expired)), status(bearer(revoked))) == (401, 401)


def revoke() -> None:
    with unit_of_work(COUNTY, OTHER) as connection:
        connection.execute(update(AccessKey).values(revoked_at=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: revoke(), 401),
        (lambda keys: keys.cognito.admin_disable_user(UserPoolId=keys.pool, Username="somebody"), 401),
        (lambda keys: keys.cognito.admin_delete_user(UserPoolId=keys.pool, Username="somebody"), 401),
        (
            lambda keys: (
                keys.cognito.admin_delete_user(UserPoolId=keys.pool, Username="somebody"),
                keys.add_user("somebody"),
            ),
            401,
        ),
        (lambda keys: keys.attributes("somebody", counties=OTHER), 403),
        (
            lambda keys: keys.cognito.admin_remove_user_from_group(
                UserPoolId=keys.pool, Username="somebody", GroupName="Assessor"
            ),
            403,
        ),
        (lambda _: withhold("view_properties"), 403),
    ],
    ids=[
        "revoked",
        "disabled",
        "deleted",
        "another of that name",
        "county lost",
        "role lost",
        "withheld by the county",
    ],
)
def test_what_a_key_loses_is_closed_within_half_a_minute_of_the_authorizers(
    keys: World, change: object, expected: int
) -> None:
    """And half a minute of the gateway's: the template's test adds both."""
    secret, _ = keys.add_key()
    assert status(bearer(secret)) == 200

    change(keys)  # type: ignore[operator]
    assert status(bearer(secret)) == 200  # as long as it is remembered
    keys.clock.now += REMEMBERED_S - 0.1
    assert status(bearer(secret)) == 200
    keys.clock.now += 0.1
    assert status(bearer(secret)) == expected


def withhold(permission: str) -> None:
    """Take a permission from the county's assessors."""
    refined = RbacSettings.model_validate({"roles": {"Assessor": {"revoke": [permission]}}}).model_dump(mode="json")
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"rbac_settings": refined}))


def test_a_county_that_withholds_a_permission_is_not_opened_by_a_key_of_several(keys: World) -> None:
    secret, _ = keys.add_key(counties=(COUNTY, OTHER), permissions="view_properties view_valuation")
    withhold("view_valuation")
    caller = Caller.from_claims(authorized(bearer(secret))["context"])

    assert caller.county_ids == {COUNTY, OTHER}
    assert caller.permissions == {"view_properties", "view_valuation"}
    assert {county: set(names) for county, names in caller.withheld.items()} == {COUNTY: {"view_valuation"}}


def test_the_policy_is_of_one_route_for_all_values_of_its_parameters(keys: World) -> None:
    secret, _ = keys.add_key()
    policy = statements(authorized(bearer(secret))["policyDocument"])

    def allowed(method: str, path: str) -> bool:
        return allows(policy, (), "", Access("execute-api:Invoke", f"{ARN}/{method}{path}"))

    assert allowed("GET", "/v1/counties/king_wa/properties")
    assert allowed("GET", "/v1/counties/lucas_oh/properties")  # which the handler refuses: see below
    assert not allowed("PATCH", "/v1/counties/king_wa/properties")
    assert not allowed("GET", "/v1/counties/king_wa/audit-events")


def test_an_unknown_route_is_opened_by_nothing(keys: World) -> None:
    secret, _ = keys.add_key()

    for headers in (bearer(secret), bearer(access_token())):
        assert status(headers, "/v1/counties/{county_id}/things") == 403


def test_the_handler_is_the_second_lock(keys: World) -> None:
    secret, _ = keys.add_key()
    claims = authorized(bearer(secret))["context"]

    def answered(method: str, resource: str, county_id: str = COUNTY, **options: object) -> tuple[int, str]:
        handler = sales if "sales" in resource else properties
        answer = call(
            handler,
            method,
            resource,
            path={"county_id": county_id, "property_id": "1", "sale_id": "1"},
            claims=claims,
            **options,
        )
        return answer.status, answer.body.get("type", "").rpartition(":")[2]

    assert answered("GET", PROPERTIES)[0] == 200
    assert answered("GET", PROPERTIES, OTHER) == (403, "county-not-permitted")
    assert answered("GET", "/v1/counties/{county_id}/sales-flags") == (403, "permission-missing")
    one = f"{PROPERTIES}/{{property_id}}"
    assert answered("PATCH", one, body={"note": "x"}, headers={"If-Match": "*"}) == (403, "key-not-accepted")
    assert answered("GET", PROPERTIES, query={"access_token": secret}) == (400, "unknown-parameter")


def test_a_key_revoked_between_two_pages_opens_no_second_one(keys: World) -> None:
    secret, _ = keys.add_key()
    assert status(basic(secret)) == 200
    revoke()
    keys.clock.now += REMEMBERED_S

    assert status(basic(secret)) == 401


def test_a_key_does_not_go_into_a_log_or_an_answer(
    keys: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret, _ = keys.add_key()
    with caplog.at_level(logging.DEBUG):
        for spoilt in (secret, altered_checksum(secret), key_secret.new_secret()):
            for headers in (bearer(spoilt), basic(spoilt)):
                status(headers)
        logging.getLogger("anybody").warning("header %s", secret)
        answer = authorized(bearer(secret))
    written = caplog.text + "".join(capfd.readouterr()) + json.dumps(answer)

    assert key_secret.REDACTED in caplog.text
    assert secret not in written
    assert secret[4:40] not in written


def test_the_use_of_a_key_is_noted_once_a_minute(keys: World) -> None:
    secret, _ = keys.add_key(counties=(COUNTY, OTHER))

    def last_uses() -> set[datetime | None]:
        with unit_of_work(COUNTY, OTHER) as connection:
            return {row.last_used_at for row in connection.execute(AccessKey.__table__.select())}

    assert last_uses() == {None}
    status(bearer(secret))
    (noted,) = last_uses()
    keys.clock.now += REMEMBERED_S
    status(bearer(secret))

    assert noted is not None
    assert last_uses() == {noted}


# --- access tokens


def test_an_access_token_opens_what_its_scopes_say(keys: World) -> None:
    answer = authorized(bearer(access_token()))

    assert answer["context"]["sub"] == "sub-of-somebody" == answer["principalId"]
    assert status({"Authorization": [access_token()]}) == 200  # without a scheme, as for the gateway's own authorizer
    assert status(bearer(access_token()), AUDIT) == 200
    assert status(bearer(access_token(scope="terrafusion/view_properties")), AUDIT) == 403
    assert status(bearer(access_token(scope="view_audit_log terrafusion/view_audit_log2")), AUDIT) == 403


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"iss": "https://elsewhere.invalid"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"token_use": ["access"]},
        {"nbf": 9e9},
        {"sub": None},
    ],
    ids=lambda claims: "-".join(map(str, claims)),
)
def test_every_other_token_is_refused(keys: World, claims: dict[str, object]) -> None:
    assert status(bearer(access_token(**claims))) == 401


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"sub": "x"}, "", algorithm="none", headers={"kid": KEY_ID}),
        jwt.encode({"sub": "x", "iss": ISSUER}, OTHER_KEY, algorithm="RS256", headers={"kid": KEY_ID}),
        jwt.encode({"sub": "x", "iss": ISSUER}, SIGNING_KEY, algorithm="RS256", headers={"kid": "another"}),
        jwt.encode({"sub": "x", "iss": ISSUER}, SIGNING_KEY, algorithm="RS256"),
        jwt.encode({"sub": "x", "iss": ISSUER}, SIGNING_KEY, algorithm="RS512", headers={"kid": KEY_ID}),
        "a.b.c",
        "...",
    ],
    ids=["unsigned", "other key", "unknown key", "no key id", "RS512", "garbage", "dots"],
)
def test_a_token_of_another_hand_is_refused(keys: World, token: str) -> None:
    assert status(bearer(token)) == 401


def test_a_role_opens_the_routes_of_its_permissions_by_key_as_by_token(keys: World) -> None:
    from functions.keys.service.authorization import _routes
    from shared.access import ROLE_PERMISSIONS, VIEW_PERMISSIONS

    for role in (Role.ASSESSOR, Role.VALUATION_STAFF, Role.REPORTING_STAFF, Role.IT_ADMIN, Role.AUDITOR):
        keys.add_user(role.value, role)
        secret, _ = keys.add_key(username=role.value, permissions=" ".join(VIEW_PERMISSIONS))
        for resource, (permission, _access) in _routes().items():
            path = {name: "1" for name in resource.replace("}", "{").split("{")[1::2] if name != "county_id"}
            expected = 200 if permission in ROLE_PERMISSIONS[role] else 403
            assert status(bearer(secret), resource, **path) == expected, (role, resource)
