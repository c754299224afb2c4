"""Refusals of the platform through the gateway: each a 4xx of its own, none a 5xx."""

import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.state import StateStore
from tests.e2e.conftest import Platform

KING = "/v1/counties/king_wa"


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"]
    return answer.status_code, body["type"].removeprefix("urn:terrafusion:problem:")


def resigned(token: str, key: Any, **changes: Any) -> str:
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, key, algorithm="RS256", headers=jwt.get_unverified_header(token))


def pool_key(platform: Platform) -> Any:
    """The key that this platform's user pool signs with."""
    state = StateStore(platform.data_dir / "state.sqlite3")
    pem = state.get("signing_key", "tokens")
    state.close()
    return pem


@pytest.fixture(scope="module")
def assessor(platform: Platform) -> dict[str, str]:
    return platform.tokens("assessor")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/v1/counties/nowhere_wa/properties", {}, (403, "county-not-permitted")),
        (f"{KING}/properties", {"bbox": "-122,48,-121,47"}, (422, "bbox-invalid")),
        (f"{KING}/properties", {"page_token": "bm8"}, (400, "page-token-invalid")),
        (f"{KING}/properties", {"neighbourhood": "x"}, (400, "unknown-parameter")),
        (f"{KING}/properties", {"page_size": "many"}, (422, "validation")),
        (f"{KING}/properties/nothing", {}, (404, "property-not-found")),
        (f"{KING}/properties/1000091", {"as_of": "2199-01-01"}, (422, "as-of-in-the-future")),
        (f"{KING}/sync-runs/00000000-0000-4000-8000-000000000000", {}, (404, "sync-run-not-found")),
        (f"{KING}/ratio-studies/not-an-id", {}, (422, "validation")),
    ],
)
def test_a_bad_request_has_its_own_problem(
    platform: Platform, path: str, query: dict[str, str], expected: tuple[int, str]
) -> None:
    assert problem(platform.signed_in("itadmin").get(path, params=query)) == expected


def test_a_page_token_of_another_query_is_refused(platform: Platform) -> None:
    client = platform.signed_in("auditor")
    token = client.get(f"{KING}/properties", params={"page_size": 1}).json()["next_page_token"]

    answer = client.get(f"{KING}/properties", params={"page_size": 1, "page_token": token, "property_class": "x"})

    assert problem(answer) == (400, "page-token-of-another-query")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "malformed-json")),
        (b'{"property_id": "1000091", "valuation_date": "soon"}', (422, "validation")),
        (b'{"property_id": "1000091", "valuation_date": "2015-06-01", "colour": "red"}', (422, "validation")),
        (b'{"property_id": 1, "valuation_date": "2015-06-01"}', (422, "validation")),
        (b"", (422, "validation")),
    ],
)
def test_a_bad_body_is_refused(platform: Platform, body: bytes, expected: tuple[int, str]) -> None:
    answer = platform.signed_in("valuation").post(
        f"{KING}/valuations", content=body, headers={"content-type": "application/json"}
    )
    assert problem(answer) == expected


def test_an_oversized_body_is_refused(platform: Platform) -> None:
    answer = platform.signed_in("itadmin").post("/v1/counties", content=b" " * (11 * 1024 * 1024))
    assert problem(answer)[0] == 413


def test_an_unknown_route_is_not_found(platform: Platform) -> None:
    assert problem(platform.signed_in("itadmin").get("/v1/nothing"))[0] == 404


def test_no_token_is_refused(platform: Platform) -> None:
    assert problem(platform.client().get(f"{KING}/properties"))[0] == 401


def test_a_token_that_is_none_is_refused(platform: Platform) -> None:
    assert problem(platform.client("not-a-token").get(f"{KING}/properties"))[0] == 401


def test_an_id_token_in_place_of_an_access_token_is_refused(platform: Platform, assessor: dict[str, str]) -> None:
    assert problem(platform.client(assessor["id_token"]).get(f"{KING}/properties"))[0] == 401


def test_a_forged_token_is_refused(platform: Platform, assessor: dict[str, str]) -> None:
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = resigned(assessor["access_token"], forger)
    assert problem(platform.client(token).get(f"{KING}/properties"))[0] == 401


def test_an_unsigned_token_is_refused(platform: Platform, assessor: dict[str, str]) -> None:
    claims = jwt.decode(assessor["access_token"], options={"verify_signature": False})
    assert problem(platform.client(jwt.encode(claims, "", algorithm="none")).get(f"{KING}/properties"))[0] == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"},
        {"client_id": "another-client"},
        {"token_use": "id"},
    ],
)
def test_a_token_whose_claims_do_not_hold_is_refused(
    platform: Platform, assessor: dict[str, str], changes: dict[str, Any]
) -> None:
    good = resigned(assessor["access_token"], pool_key(platform), iat=int(time.time()))
    assert platform.client(good).get(f"{KING}/properties", params={"page_size": 1}).status_code == 200

    bad = resigned(assessor["access_token"], pool_key(platform), **changes)
    assert problem(platform.client(bad).get(f"{KING}/properties"))[0] == 401


@pytest.mark.parametrize(
    ("username", "method", "path"),
    [
        ("auditor", "POST", f"{KING}/sync-runs"),
        ("auditor", "PATCH", f"{KING}/properties/1000091"),
        ("valuation", "POST", f"{KING}/reports"),
        ("reporting", "POST", f"{KING}/valuations"),
        ("assessor", "PUT", f"{KING}/mapping"),
    ],
)
def test_a_role_without_the_permission_is_refused(platform: Platform, username: str, method: str, path: str) -> None:
    answer = platform.signed_in(username).request(method, path, json={})
    assert answer.status_code == 403, answer.text


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(platform: Platform) -> None:
    answers = [
        platform.client().post("/v1/auth/login", json={"username": name, "password": "wrong-Password-1"})
        for name in ("assessor", "nobody")
    ]
    assert [problem(answer) for answer in answers] == [(401, "sign-in-refused")] * 2
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_logging_out_ends_the_refresh_token(platform: Platform) -> None:
    tokens = platform.tokens("reporting")
    client = platform.client()
    refreshed = client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (refreshed.status_code, refreshed.json()["expires_in"]) == (200, 900)
    me = platform.client(refreshed.json()["access_token"]).get("/v1/auth/me").json()
    assert (me["username"], me["roles"], me["counties"]) == ("reporting", ["ReportingStaff"], ["king_wa", "lucas_oh"])

    assert client.post("/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]}).status_code == 204

    again = client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert problem(again) == (401, "sign-in-refused")
    # as API Gateway's authorizer does, which knows signature and end alone
    still = platform.client(refreshed.json()["access_token"]).get("/v1/auth/me")
    assert still.status_code == 200
