"""Signing in for the first time; Cognito by moto."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from functions.auth.handler import handler
from shared.aws import client, forget_clients
from shared.settings import settings
from tests.gateway import Answer, call

FIRST, CHOSEN = "First-Password-1", "Chosen-Password-2"


@pytest.fixture(autouse=True)
def user_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
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
