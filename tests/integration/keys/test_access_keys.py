"""Making, listing and revoking access keys."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from functions.audit.handler import handler as audit
from functions.keys.handler import handler
from functions.keys.schemas import MAX_COUNTIES
from functions.keys.service import access_keys
from functions.properties.handler import handler as properties
from shared.access import VIEW_PERMISSIONS, Role, key_secret
from shared.counties.request_budget import BURST_SECONDS, KEY_BUCKETS, RequestBudget
from shared.counties.user_permissions import UserPermissions
from shared.db import unit_of_work
from shared.db.models import AccessKey
from shared.problems import KeyRateLimited
from shared.settings import settings
from tests.gateway import Answer, call, claims_of
from tests.integration.keys.world import AUDIT, COUNTY, OTHER, PROPERTIES, World, authorized, bearer, status

SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def owner_claims(keys: World, username: str = "somebody", role: Role = Role.ASSESSOR, **more: Any) -> dict[str, str]:
    """The claims of a token that a user of the pool has."""
    user = keys.cognito.admin_get_user(UserPoolId=keys.pool, Username=username)
    counties = next(a["Value"] for a in user["UserAttributes"] if a["Name"] == "custom:counties").split()
    subject = next(a["Value"] for a in user["UserAttributes"] if a["Name"] == "sub")
    return {**claims_of(role, counties, username), "sub": subject, **more}


def make(claims: dict[str, str], *, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    described = {"name": "QGIS", "counties": [COUNTY], "permissions": ["view_properties"], "expires_at": SOON}
    return call(handler, "POST", "/v1/keys", body=described | body, claims=claims, headers=headers)


def listed(claims: dict[str, str], **query: str) -> Any:
    return call(handler, "GET", "/v1/keys", claims=claims, query=query).body


def revoke(claims: dict[str, str], key_id: str) -> Answer:
    return call(handler, "DELETE", "/v1/keys/{key_id}", path={"key_id": key_id}, claims=claims)


def test_a_key_is_shown_once_opens_what_it_says_and_is_revoked(keys: World) -> None:
    claims = owner_claims(keys)
    made = make(claims, counties=[OTHER, COUNTY], permissions=["view_valuation", "view_properties"])
    secret = made.body["secret"]

    assert made.status == 201
    assert key_secret.is_secret(secret)
    assert status(bearer(secret)) == 200
    (key,) = listed(claims)["items"]
    assert key == {name: value for name, value in made.body.items() if name != "secret"} | {
        "last_used_at": key["last_used_at"]
    }
    assert (key["status"], key["counties"]) == ("active", [COUNTY, OTHER])
    assert key["requests_per_second"] == settings().key_requests_per_second
    assert key["last_used_at"] is not None
    assert revoke(claims, key["id"]).status == 204
    assert listed(claims)["items"][0]["status"] == "revoked"
    assert revoke(claims, key["id"]).status == 404
    keys.clock.now += 60
    assert status(bearer(secret)) == 401


def test_the_secret_is_stored_nowhere(keys: World) -> None:
    secret = make(owner_claims(keys)).body["secret"]
    with unit_of_work(COUNTY) as connection:
        (row,) = connection.execute(select(AccessKey.__table__))
        stored = str(connection.scalar(text("SELECT row_to_json(access_keys) FROM access_keys")))

    assert row.digest == key_secret.digest(secret)
    assert secret not in stored
    assert secret[4:] not in stored


def test_the_same_idempotency_key_makes_one_key_and_shows_no_secret_again(keys: World) -> None:
    claims, headers = owner_claims(keys), {"Idempotency-Key": "once"}
    first, second = (make(claims, headers=headers) for _ in range(2))

    assert first.body | {"secret": None} == second.body
    assert make(claims, headers=headers, name="Excel").body["type"].endswith("idempotency-key-reused")
    assert len(listed(claims)["items"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"counties": ["benton_wa"]}, "/body/counties"),
        ({"permissions": ["edit_property"]}, "/body/permissions"),
        ({"permissions": ["sign_in"]}, "/body/permissions"),
        ({"permissions": ["view_audit_log"]}, "/body/permissions"),
        ({"permissions": []}, "/body/permissions"),
        ({"counties": []}, "/body/counties"),
        ({"counties": [f"county_{n}" for n in range(21)]}, "/body/counties"),
        ({"name": "  "}, "/body/name"),
        ({"name": "x" * 101}, "/body/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/body/expires_at"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "/body/expires_at"),
        ({"expires_at": "2027-01-01"}, "/body/expires_at"),
        ({"secret": "tfk_mine"}, "/body/secret"),
    ],
    ids=str,
)
def test_a_key_cannot_be_more_than_its_owner_or_live_too_long(keys: World, body: dict[str, Any], pointer: str) -> None:
    claims = owner_claims(keys, role=Role.VALUATION_STAFF)
    refused = make(claims, **body)

    assert refused.status == 422
    assert any(error["pointer"].startswith(pointer) for error in refused.body["errors"]), refused.body
    assert listed(claims)["items"] == []


def test_a_key_cannot_have_what_one_of_its_counties_withholds(keys: World) -> None:
    claims = owner_claims(keys, withheld='{"lucas_oh": ["view_valuation"]}')

    assert make(claims, permissions=["view_valuation"]).status == 201
    refused = make(claims, counties=[COUNTY, OTHER], permissions=["view_valuation"])
    assert "lucas_oh" in refused.body["errors"][0]["detail"]


def test_nobody_has_more_than_fifty_keys(keys: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_keys, "MAX_KEYS", 2)
    claims = owner_claims(keys)

    assert [make(claims).status for _ in range(3)] == [201, 201, 409]
    revoke(claims, listed(claims)["items"][0]["id"])
    assert make(claims).status == 201


def test_a_user_manager_sees_and_revokes_the_keys_of_the_counties_managed_and_no_others(keys: World) -> None:
    keys.add_user("admin", Role.IT_ADMIN, COUNTY)
    keys.add_user("elsewhere", Role.IT_ADMIN, OTHER)
    owner, admin, elsewhere = (
        owner_claims(keys),
        owner_claims(keys, "admin", Role.IT_ADMIN),
        owner_claims(keys, "elsewhere", Role.IT_ADMIN),
    )
    both = make(owner, counties=[COUNTY, OTHER]).body
    theirs = make(owner, counties=[OTHER]).body

    (seen,) = listed(admin)["items"]
    assert (seen["id"], seen["owner"], seen["counties"]) == (both["id"], "somebody", [COUNTY])
    assert {key["id"] for key in listed(elsewhere)["items"]} == {both["id"], theirs["id"]}
    assert revoke(admin, theirs["id"]).status == 404
    assert revoke(admin, both["id"]).status == 204
    caller = authorized(bearer(both["secret"]))["context"]
    assert caller["counties"] == OTHER  # the manager of one county closed one county
    assert listed(owner_claims(keys, "admin", Role.ASSESSOR))["items"] == []


def test_another_users_key_is_not_there(keys: World) -> None:
    keys.add_user("other")
    made = make(owner_claims(keys)).body

    assert revoke(owner_claims(keys, "other"), made["id"]).status == 404
    assert revoke(owner_claims(keys, "other"), str(uuid4())).status == 404
    assert listed(owner_claims(keys, "other"))["items"] == []


def test_a_list_is_paged_newest_first(keys: World) -> None:
    claims = owner_claims(keys)
    ids = [make(claims).body["id"] for _ in range(5)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = listed(claims, page_size="2", **token)
        seen += [key["id"] for key in page["items"]]
        if page["next_page_token"] is None:
            break
        token = {"page_token": page["next_page_token"]}

    assert seen == ids[::-1]


def test_a_key_cannot_make_list_or_revoke_keys(keys: World) -> None:
    secret, key_id = keys.add_key(permissions=" ".join(VIEW_PERMISSIONS))
    claims = authorized(bearer(secret))["context"] | {"scope": "terrafusion/sign_in"}

    for answer in (make(claims), revoke(claims, str(key_id))):
        assert answer.body["type"].endswith("key-not-accepted")
    assert listed(claims)["type"].endswith("key-not-accepted")


def test_the_audit_trail_of_each_county_says_who_made_and_revoked_a_key(keys: World) -> None:
    claims = owner_claims(keys)
    made = make(claims, counties=[COUNTY, OTHER]).body
    revoke(claims, made["id"])

    for county in (COUNTY, OTHER):
        events = call(audit, "GET", AUDIT, path={"county_id": county}, claims=claims_of(Role.AUDITOR, [county])).body
        assert [event["action"] for event in events["items"]] == ["key.revoked", "key.made"]
        assert made["secret"] not in str(events)


def test_a_key_has_a_rate_of_its_own_in_each_county(keys: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_REQUESTS_PER_SECOND", "2")
    settings.cache_clear()
    claims = owner_claims(keys)
    secret = make(claims, counties=[COUNTY, OTHER]).body["secret"]
    monkeypatch.setattr("shared.api.resolver._key_budget", RequestBudget(KEY_BUCKETS, keys.clock))
    by_key = authorized(bearer(secret))["context"]

    def read(county_id: str) -> Answer:
        return call(properties, "GET", PROPERTIES, path={"county_id": county_id}, claims=by_key)

    answers = [read(COUNTY) for _ in range(2 * BURST_SECONDS + 2)]
    assert [answer.status for answer in answers][: 2 * BURST_SECONDS] == [200] * 2 * BURST_SECONDS
    assert answers[-1].status == 429
    assert answers[-1].body["type"].endswith(KeyRateLimited.slug)
    assert answers[-1].headers["retry-after"] == "1"
    assert read(OTHER).status == 200


def test_the_authorizers_answer_to_the_largest_key_is_within_the_gateways_limit(keys: World) -> None:
    """API Gateway's quotas give 8 KB for it."""
    longest = [f"{number:02}".rjust(40, "x") for number in range(MAX_COUNTIES)]
    one = frozenset({max(VIEW_PERMISSIONS, key=lambda name: -len(name))})
    claims = UserPermissions(dict.fromkeys(longest, one) | {longest[0]: VIEW_PERMISSIONS}).claims()

    assert all(longest[1] in claim for claim in (claims["counties"], claims["withheld"]))
    assert len(json.dumps(claims)) < 8192 - 1024
