"""Lambda authorizers at the local gateway: asked once for each credentials and route, as long as the template says."""

import asyncio
from typing import Any

import pytest

from infra.local.gateway.authorizers import (
    AuthorizerFailedError,
    DeniedError,
    NotAuthorizedError,
    RequestAuthorizers,
)
from infra.local.gateway.events import ApiIdentity, Headers, Request
from infra.local.gateway.processes import FunctionFailedError
from infra.local.gateway.routing import Match
from infra.local.rest_api import RequestAuthorizer, Route

SOURCES = ("method.request.header.Authorization", "context.resourcePath")
CACHED = RequestAuthorizer("arn:authorizer", SOURCES, 30)


def allowing(resource: str = "*", **context: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}
    return {"principalId": "somebody", "policyDocument": {"Statement": [statement]}, "context": context}


class Authorizer:
    """An authorizer's function that answers as it is told, and counts."""

    def __init__(self, answer: Any) -> None:
        self.answer_given, self.asked, self.now = answer, 0, 0.0

    async def answer(self, *_: Any) -> tuple[int, Headers, bytes]:
        raise NotImplementedError

    async def authorize(self, *_: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer_given, Exception):
            raise self.answer_given
        return self.answer_given


def ask(
    gateway: RequestAuthorizers, credentials: str | None = "a", path: str = "/v1/things", authorizer: Any = CACHED
) -> dict[str, Any]:
    headers = [] if credentials is None else [(b"authorization", credentials.encode())]
    request = Request("GET", path, b"", headers, b"", "127.0.0.1", "HTTP/1.1")
    match = Match(Route("GET", path, "arn:function", None, authorizer=authorizer), {})
    return dict(asyncio.run(gateway.authorize(authorizer, request, match, "1")))


def gateway_of(authorizer: Authorizer) -> RequestAuthorizers:
    return RequestAuthorizers(ApiIdentity("api", "dev"), authorizer, lambda: authorizer.now)


def test_an_answer_is_kept_by_credentials_and_route_until_its_time_is_over() -> None:
    authorizer = Authorizer(allowing(sub="x", verified=True, level=3))
    gateway = gateway_of(authorizer)

    assert ask(gateway) == ask(gateway) == {"principalId": "somebody", "sub": "x", "verified": "true", "level": "3"}
    assert authorizer.asked == 1
    ask(gateway, "b")
    ask(gateway, "a", "/v1/others")
    assert authorizer.asked == 3
    authorizer.now, authorizer.answer_given = 29.9, FunctionFailedError("UnauthorizedError: Unauthorized")
    ask(gateway)
    authorizer.now = 30
    with pytest.raises(NotAuthorizedError):
        ask(gateway)


def test_one_that_keeps_nothing_is_asked_each_time_and_without_a_header_too() -> None:
    authorizer = Authorizer(allowing())
    gateway = gateway_of(authorizer)
    for credentials in (None, "a", "a"):
        ask(gateway, credentials, authorizer=RequestAuthorizer("arn:authorizer", (), 0))

    assert authorizer.asked == 3


def test_one_that_keeps_answers_is_not_asked_without_its_identity_sources() -> None:
    authorizer = Authorizer(allowing())
    with pytest.raises(NotAuthorizedError):
        ask(gateway_of(authorizer), None)

    assert authorizer.asked == 0


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (allowing("arn:aws:execute-api:*/dev/GET/v1/others"), DeniedError),
        (FunctionFailedError("UnauthorizedError: Unauthorized"), NotAuthorizedError),
        (FunctionFailedError("ValueError: Unauthorized, but otherwise"), AuthorizerFailedError),
        (allowing(nested={}), AuthorizerFailedError),
        ({"principalId": "x"}, AuthorizerFailedError),
        ("text", AuthorizerFailedError),
        (None, AuthorizerFailedError),
    ],
)
def test_what_is_no_allowing_policy_lets_nobody_in(answer: Any, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        ask(gateway_of(Authorizer(answer)))
