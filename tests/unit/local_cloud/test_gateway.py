"""The gateway itself: routing, tokens, events and answers."""

import asyncio
import base64
import hmac
import io
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from infra.local.gateway import ApiIdentity, Gateway, TokenVerifier
from infra.local.gateway.events import Headers, Request, proxy_answer, proxy_event
from infra.local.gateway.routing import Match, Router
from infra.local.gateway.tokens import RefusedTokenError
from infra.local.lambda_runtime import ConflictingVariablesError, shared_variables
from infra.local.quotas import BODY_BYTES
from infra.local.rest_api import GatewayAnswer, RestApi, Route
from infra.local.template import Function

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def route(method: str, path: str, *scopes: str) -> Route:
    return Route(method, path, "arn:function", scopes or None)


def claims_of_token(**claims: Any) -> dict[str, Any]:
    body = {
        "iss": ISSUER,
        "sub": "somebody",
        "client_id": "app",
        "token_use": "access",
        "exp": time.time() + 3600,
        "scope": "tf/view tf/edit",
    }
    return body | claims


def token(
    key: rsa.RSAPrivateKey = KEY, kid: str = "one", header: Mapping[str, Any] | None = None, **claims: Any
) -> str:
    return jwt.encode(claims_of_token(**claims), key, algorithm="RS256", headers={"kid": kid, **(header or {})})


def without(name: str) -> str:
    claims = {key: value for key, value in claims_of_token().items() if key != name}
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "one"})


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def hand_signed(secret: bytes) -> str:
    """Signed with a public key as if it were a shared secret, which PyJWT itself refuses to do."""
    head = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    signed = ".".join(_segment(json.dumps(part).encode()) for part in (head, claims_of_token()))
    return f"{signed}.{_segment(hmac.digest(secret, signed.encode(), 'sha256'))}"


def altered(claims: Mapping[str, Any] | None = None, signature: bytes | None = b"") -> str:
    """A good token with other claims under its signature, or with its signature changed or gone."""
    head, body, signed = token().split(".")
    if claims is not None:
        body = _segment(json.dumps(claims_of_token(**claims)).encode())
    if signature is None:
        signed = ""
    elif signature:
        content = base64.urlsafe_b64decode(signed + "==")
        signed = _segment(content[:-1] + bytes([content[-1] ^ signature[0]]))
    return ".".join((head, body, signed))


def verifier() -> TokenVerifier:
    return TokenVerifier(ISSUER, frozenset({"app"}), {"one": KEY.public_key()})


@pytest.mark.parametrize(
    ("method", "path", "matched", "parameters"),
    [
        ("GET", "/v1/a/special", "/v1/a/special", {}),
        ("GET", "/v1/a/7", "/v1/a/{id}", {"id": "7"}),
        ("GET", "/v1/a/x%2Fy", "/v1/a/{id}", {"id": "x%2Fy"}),
        ("GET", "/v1/a/special/more", "/v1/a/{id}/more", {"id": "special"}),
        ("GET", "/v1/files/a/b/c", "/v1/files/{proxy+}", {"proxy": "a/b/c"}),
        ("PATCH", "/v1/files/a", "/v1/files/{proxy+}", {"proxy": "a"}),
        ("GET", "/", "/", {}),
        ("GET", "/v1/a", None, {}),
        ("POST", "/v1/a/7", None, {}),
        ("GET", "/v1/a/", None, {}),
        ("GET", "/v1/files", None, {}),
        ("GET", "/v1/a/7/", "/v1/a/{id}", {"id": "7"}),
        ("GET", "/v1/a/7/more/", "/v1/a/{id}/more", {"id": "7"}),
        ("GET", "/v1/a/7//", None, {}),
    ],
)
def test_a_request_finds_its_most_literal_route(
    method: str, path: str, matched: str | None, parameters: dict[str, str]
) -> None:
    router = Router(
        [
            route("GET", "/"),
            route("GET", "/v1/a/{id}"),
            route("GET", "/v1/a/special"),
            route("GET", "/v1/a/{id}/more"),
            route("ANY", "/v1/files/{proxy+}"),
        ]
    )
    match = router.match(method, path)
    assert (match.route.path if match else None) == matched
    if match:
        assert match.parameters == parameters


def test_a_valid_access_token_is_told_as_texts() -> None:
    verified = verifier().verify(token(counties="king_wa", groups=["A", "B"], count=3))
    assert verified.scopes == {"tf/view", "tf/edit"}
    assert verified.claims["groups"] == "A,B"
    assert verified.claims["count"] == "3"


@pytest.mark.parametrize(
    "refused",
    [
        token(exp=time.time() - 1),
        token(iss="https://elsewhere/"),
        token(client_id="another"),
        token(token_use="id"),
        token(kid="unknown"),
        token(OTHER_KEY),
        jwt.encode({"sub": "x", "exp": 9e9, "iss": ISSUER}, "", algorithm="none", headers={"kid": "one"}),
        hand_signed(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        hand_signed(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)),
        jwt.encode(claims_of_token(), KEY, algorithm="PS256", headers={"kid": "one"}),
        jwt.encode(claims_of_token(), KEY, algorithm="RS512", headers={"kid": "one"}),
        altered(claims={"scope": "tf/view tf/edit tf/manage"}),
        altered(claims={"counties": "lucas_oh"}),
        altered(signature=b"\x01"),
        altered(signature=None),
        token(nbf=time.time() + 86_400),
        token(OTHER_KEY, header={"jku": "https://elsewhere/jwks.json"}),
        token(OTHER_KEY, header={"jwk": json.loads(RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))}),
        token(OTHER_KEY, header={"x5u": "https://elsewhere/cert.pem"}),
        token(OTHER_KEY, kid="../../one"),
        token(header={"crit": ["exp"]}),
        token(token_use=["access"]),
        token(client_id=["app"]),
        without("exp"),
        without("iss"),
        token() + ".",
        f"{token()}.{token()}",
        "not.a.token",
        "",
    ],
    ids=[
        *("expired", "issuer", "client", "id token", "key id", "signature", "unsigned"),
        *("HS256 of the public PEM", "HS256 of the public DER", "PS256", "RS512"),
        *("altered scope", "altered counties", "altered signature", "no signature", "not yet valid"),
        *("jku", "jwk", "x5u", "path as key id", "critical header", "list of uses", "list of clients"),
        *("no end", "no issuer", "four parts", "two tokens", "garbage", "none"),
    ],
)
def test_every_other_token_is_refused(refused: str) -> None:
    with pytest.raises(RefusedTokenError):
        verifier().verify(refused)


def test_a_remembered_token_still_expires() -> None:
    checking = verifier()
    short = token(exp=time.time() + 1)
    checking.verify(short)
    time.sleep(1.1)
    with pytest.raises(RefusedTokenError, match="expired"):
        checking.verify(short)


class Recording:
    """A function that keeps its event and answers as it is told."""

    def __init__(self, answer: Any = None) -> None:
        self.event: dict[str, Any] = {}
        self.answered = answer or {"statusCode": 200, "body": "{}"}

    async def answer(
        self, _arn: str, request: Request, match: Match, request_id: str, authorizer: Mapping[str, Any] | None
    ) -> tuple[int, Headers, bytes]:
        api = ApiIdentity("api", "dev")
        self.event = proxy_event(request, match.route.path, match.parameters, api, request_id, authorizer)
        if isinstance(self.answered, Exception):
            raise self.answered
        return proxy_answer(self.answered)


ROUTES = (
    route("GET", "/v1/items/{item_id}", "tf/view"),
    route("DELETE", "/v1/items/{item_id}", "tf/delete"),
    route("POST", "/v1/items"),
)


def call(
    functions: Any,
    method: str,
    path: str,
    answers: dict[str, GatewayAnswer] | None = None,
    log: io.StringIO | None = None,
    **request: Any,
) -> httpx.Response:
    """One request through the gateway as an ASGI application."""
    gateway: Any = Gateway(RestApi("api", "dev", ROUTES, answers or {}), verifier(), functions, log or io.StringIO())

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(gateway, client=("10.1.2.3", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.request(method, path, **request)

    answer = asyncio.run(send())
    gateway.flush()
    return answer


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**claims)}"}


def test_the_event_is_that_of_a_proxy_integration() -> None:
    function = Recording()
    call(function, "GET", "/v1/items/a%20b?tag=x&tag=y&empty=", headers={**bearer(), "X-Two": "1"})
    event = function.event
    assert (event["resource"], event["path"]) == ("/v1/items/{item_id}", "/v1/items/a%20b")
    assert event["pathParameters"] == {"item_id": "a%20b"}
    assert event["queryStringParameters"] == {"tag": "y", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"tag": ["x", "y"], "empty": [""]}
    assert event["multiValueHeaders"]["x-two"] == ["1"]
    assert event["body"] is None
    context = event["requestContext"]
    assert context["authorizer"]["claims"]["sub"] == "somebody"
    assert context["identity"]["sourceIp"] == "10.1.2.3"
    assert (context["stage"], context["path"]) == ("dev", "/v1/items/a%20b")


def test_a_body_is_text_or_base64() -> None:
    function = Recording()
    call(function, "POST", "/v1/items", content=b'{"a": "\xc3\xa9"}')
    assert (function.event["body"], function.event["isBase64Encoded"]) == ('{"a": "é"}', False)
    call(function, "POST", "/v1/items", content=b"\xff\x00")
    assert (function.event["body"], function.event["isBase64Encoded"]) == ("/wA=", True)


def test_an_answer_may_have_repeated_headers_and_bytes() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "image/png"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "AAEC",
        "isBase64Encoded": True,
    }
    response = call(Recording(answer), "POST", "/v1/items")
    assert response.status_code == 201
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (response.headers["content-type"], response.content) == ("image/png", b"\x00\x01\x02")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/items/1", {}, 401),
        ("GET", "/v1/items/1", {"Authorization": "Bearer nonsense"}, 401),
        ("GET", "/v1/items/1", bearer(token_use="id"), 401),
        ("DELETE", "/v1/items/1", bearer(), 403),
        ("GET", "/v1/nothing", bearer(), 404),
        ("PUT", "/v1/items/1", bearer(), 404),
    ],
)
def test_what_the_gateway_refuses_is_a_problem_with_a_request_id(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    function = Recording()
    response = call(function, method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-amzn-requestid"]
    assert function.event == {}


def test_the_templates_own_words_are_used_for_a_refusal() -> None:
    answer_template = GatewayAnswer(401, {"Content-Type": "application/problem+json"}, '{"id": "$context.requestId"}')
    response = call(Recording(), "GET", "/v1/items/1", {"UNAUTHORIZED": answer_template})
    assert response.json() == {"id": response.headers["x-amzn-requestid"]}


def test_a_default_answer_keeps_the_status_of_the_refusal() -> None:
    answer_template = GatewayAnswer(None, {}, '{"message": $context.error.messageString}')
    response = call(Recording(), "DELETE", "/v1/items/1", {"DEFAULT_4XX": answer_template}, headers=bearer())
    assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


def test_a_body_over_the_limit_is_refused_whether_or_not_its_length_is_told() -> None:
    async def parts() -> Any:
        for _ in range(11):
            yield b"x" * (BODY_BYTES // 10)

    assert call(Recording(), "POST", "/v1/items", content=b"x" * (BODY_BYTES + 1)).status_code == 413
    assert call(Recording(), "POST", "/v1/items", content=parts()).status_code == 413
    assert call(Recording(), "POST", "/v1/items", content=b"x" * BODY_BYTES).status_code == 200


@pytest.mark.parametrize("answer", [ValueError("a secret detail"), "text", {"body": "no status"}])
def test_a_failing_function_is_a_502_that_tells_nothing(answer: Any) -> None:
    response = call(Recording(answer), "POST", "/v1/items")
    assert response.status_code == 502
    assert "secret" not in response.text


def test_every_request_is_one_line_of_the_log() -> None:
    log = io.StringIO()
    call(Recording(), "GET", "/v1/items/1?secret=1", log=log, headers=bearer())
    line = json.loads(log.getvalue())
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/items/1", 200)
    assert line["subject"] == "somebody"


def function(name: str, **environment: str) -> Function:
    return Function(name, name, f"arn:{name}", "m.h", environment, 3.0, 128)


def test_functions_share_a_process_only_when_their_variables_agree() -> None:
    first = function("one", BUCKET="b", POWERTOOLS_SERVICE_NAME="one")
    two = function("two", BUCKET="b", TABLE="t", POWERTOOLS_SERVICE_NAME="two")
    assert shared_variables([first, two]) == {"BUCKET": "b", "TABLE": "t"}
    with pytest.raises(ConflictingVariablesError, match="BUCKET"):
        shared_variables([first, function("three", BUCKET="other")])
