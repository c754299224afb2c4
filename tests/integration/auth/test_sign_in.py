"""Signing in: the first time, and with a second factor; Cognito by moto."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from moto import mock_aws

from functions.auth.handler import handler
from infra.local.aws.replacements import Replacements
from infra.local.aws.second_factors import SecondFactors
from infra.local.state import StateStore
from shared.aws import client, forget_clients
from shared.settings import settings
from tests.gateway import Answer, call

FIRST, CHOSEN = "First-Password-1", "Chosen-Password-2"


@contextmanager
def second_factors(folder: Path) -> Iterator[None]:
    """Users' secrets as the local cloud has them: moto's one of all users verifies nothing."""
    state, replacements = StateStore(folder / "state.sqlite3"), Replacements()
    SecondFactors(state).install(replacements)
    yield
    replacements.undo()
    state.close()


@pytest.fixture(autouse=True)
def user_pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(), second_factors(tmp_path):
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(
            PoolName="p", Policies={"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}}
        )["UserPool"]["Id"]
        app_client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool, Username="new", TemporaryPassword=FIRST)
        monkeypatch.setenv("USER_POOL_ID", pool)
        monkeypatch.setenv("USER_POOL_CLIENT_ID", app_client)
        settings.cache_clear()
        forget_clients()
        yield
    settings.cache_clear()
    forget_clients()


def post(step: str, **body: str) -> Answer:
    return call(handler, "POST", f"/v1/auth/{step}", body=body)


def code_of(secret: str, steps: int = 0) -> str:
    """The code that an authenticator app shows (RFC 6238), now or so many half minutes later."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()  # noqa: S303


def session() -> str:
    found: str = post("login", username="new", password=FIRST).body["session"]
    return found


def test_the_first_login_asks_for_a_new_password_and_the_answer_signs_in() -> None:
    challenged = post("login", username="new", password=FIRST)
    assert (challenged.status, challenged.body["challenge"]) == (200, "NEW_PASSWORD_REQUIRED")

    answer = post("challenge", username="new", session=challenged.body["session"], new_password=CHOSEN)

    assert answer.status == 200
    assert {"access_token", "id_token", "refresh_token", "token_type", "expires_in"} <= set(answer.body)
    assert post("login", username="new", password=CHOSEN).body["token_type"] == "Bearer"
    assert post("login", username="new", password=FIRST).status == 401


def test_a_new_password_that_is_too_weak_is_refused_with_its_place() -> None:
    answer = post("challenge", username="new", session=session(), new_password="short")

    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:password-too-weak")
    assert answer.body["errors"][0]["pointer"] == "/body/new_password"


def test_a_session_that_is_none_of_ours_is_refused() -> None:
    assert post("challenge", username="new", session="a-session-that-is-made-up", new_password=CHOSEN).status == 401


def with_token(method: str, path: str, token: str, body: dict[str, str] | None = None) -> Answer:
    headers = {"authorization": f"Bearer {token}"}
    return call(handler, method, f"/v1/auth/{path}", body=body, headers=headers)


def signed_in() -> str:
    token: str = post("challenge", username="new", session=session(), new_password=CHOSEN).body["access_token"]
    return token


def with_second_factor() -> str:
    """Turn the second factor on; its secret."""
    token = signed_in()
    begun = with_token("POST", "totp", token)
    assert begun.status == 200
    secret: str = begun.body["secret"]
    assert begun.body["uri"] == f"otpauth://totp/TerraFusion%3Asomebody?secret={secret}&issuer=TerraFusion"
    assert with_token("POST", "totp/confirm", token, {"code": "000000"}).status == 401
    assert post("login", username="new", password=CHOSEN).status == 200, "nothing is asked for before it is confirmed"
    assert with_token("POST", "totp/confirm", token, {"code": code_of(secret)}).status == 204
    return secret


def test_a_second_factor_is_asked_for_once_a_code_has_confirmed_it() -> None:
    secret = with_second_factor()
    asked = post("login", username="new", password=CHOSEN)
    assert (asked.status, asked.body["challenge"]) == (200, "SOFTWARE_TOKEN_MFA")
    code = code_of(secret, steps=1)
    answer = post("challenge", username="new", session=asked.body["session"], code=code)
    assert answer.body["token_type"] == "Bearer"

    again = post("login", username="new", password=CHOSEN).body["session"]
    assert post("challenge", username="new", session=again, code=code).status == 401, "a code signs in once"

    assert with_token("DELETE", "totp", answer.body["access_token"]).status == 204
    assert "access_token" in post("login", username="new", password=CHOSEN).body


def test_a_session_is_of_the_user_whose_password_it_was() -> None:
    secret = with_second_factor()
    boto3.client("cognito-idp").admin_create_user(
        UserPoolId=settings().user_pool_id, Username="other", TemporaryPassword=FIRST
    )
    asked = post("login", username="new", password=CHOSEN).body["session"]
    for name, code in (("other", code_of(secret, steps=1)), ("new", "123456"), ("new", code_of("A" * 32))):
        assert post("challenge", username=name, session=asked, code=code).status == 401


@pytest.mark.parametrize(
    "answers", [{}, {"code": "12345"}, {"code": "abcdef"}, {"code": "123456", "new_password": CHOSEN}]
)
def test_a_challenge_has_one_answer(answers: dict[str, str]) -> None:
    assert post("challenge", username="new", session="a-session-that-is-made-up", **answers).status == 422


@pytest.mark.parametrize("body", [{}, {"username": "new"}, {"username": "", "password": ""}])
def test_a_login_without_name_or_password_is_refused(body: dict[str, str]) -> None:
    assert post("login", **body).status == 422


AWAY = [
    ("UserLambdaValidationException", 400),  # the pre-token trigger raised
    ("UnexpectedLambdaException", 400),  # it did not answer in its five seconds
    ("InvalidLambdaResponseException", 400),
    ("InternalErrorException", 500),
    ("ServiceUnavailable", 503),
]


@pytest.mark.parametrize(("code", "status"), AWAY)
def test_what_is_no_fault_of_the_caller_is_not_told_as_one(code: str, status: int) -> None:
    refresh = {"refresh_token": "a-good-one"}
    login = {"username": "new", "password": CHOSEN}
    answered = {"username": "new", "session": "a-session-of-a-first-login", "new_password": CHOSEN}
    with Stubber(client("cognito-idp")) as cognito:
        for call_of_cognito in ("initiate_auth", "initiate_auth", "respond_to_auth_challenge"):
            cognito.add_client_error(call_of_cognito, code, "PreTokenGeneration failed", http_status_code=status)
        answers = [post("login", **login), post("refresh", **refresh), post("challenge", **answered)]

    for answer in answers:
        assert (answer.status, answer.body["type"]) == (503, "urn:terrafusion:problem:sign-in-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "PreTokenGeneration" not in str(answer.body)


def test_a_user_pool_that_cannot_be_reached_is_no_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://cognito-idp")

    monkeypatch.setattr(client("cognito-idp"), "initiate_auth", unreachable)
    monkeypatch.setattr(client("cognito-idp"), "revoke_token", unreachable)

    assert post("login", username="new", password=CHOSEN).status == 503
    assert post("logout", refresh_token="a-good-one").status == 503
