"""The API as its gateway serves it on loopback: real routes, scopes and tokens, each handler in this process."""

import importlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from functions.keys.service import access_tokens
from infra.local.cloud_assembly import Assembly
from infra.local.gateway import ApiIdentity, Gateway, GatewayServer, TokenVerifier, listen
from infra.local.gateway.events import Headers, Request, authorizer_event, proxy_answer, proxy_event
from infra.local.gateway.processes import FunctionFailedError
from infra.local.gateway.routing import Match
from infra.local.resource_names import LocalIdentifiers
from infra.local.synthesis import synthesized
from infra.local.template import Template
from shared.access import Role
from shared.settings import settings
from tests.gateway import LambdaContext, claims_of

ISSUER, KEY_ID = "https://issuer.invalid/pool", "one"
API = ApiIdentity("api", "test")
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class InProcess:
    """Answers by the handlers of the template's functions, one request at a time."""

    def __init__(self, template: Template) -> None:
        self._handlers = {function.arn: function.handler for function in template.functions()}
        self.seconds: list[float] = []

    async def answer(
        self, arn: str, request: Request, match: Match, request_id: str, authorizer: Mapping[str, Any] | None, /
    ) -> tuple[int, Headers, bytes]:
        """The handler's answer."""
        event = _event(request, match, request_id, authorizer)
        started = time.perf_counter()
        answered = proxy_answer(self._handler(arn)(event, LambdaContext()))
        self.seconds.append(time.perf_counter() - started)
        return answered

    async def authorize(self, arn: str, request: Request, match: Match, request_id: str, method_arn: str, /) -> Any:
        """The authorizer's answer. Raises FunctionFailedError with the message of its error."""
        event = authorizer_event(_event(request, match, request_id, None), method_arn)
        try:
            return self._handler(arn)(event, LambdaContext())
        except Exception as error:
            raise FunctionFailedError(f"{type(error).__name__}: {error}") from error

    def _handler(self, arn: str) -> Any:
        module, _, name = self._handlers[arn].rpartition(".")
        return getattr(importlib.import_module(module), name)


def _event(request: Request, match: Match, request_id: str, authorizer: Mapping[str, Any] | None) -> dict[str, Any]:
    return proxy_event(request, match.route.path, match.parameters, API, request_id, authorizer)


class _PublishedKeys:
    """The keys of the tokens here, in place of those that the pool publishes."""

    def get_signing_key(self, key_id: str) -> jwt.PyJWK:
        if key_id != KEY_ID:
            raise jwt.PyJWKClientError(key_id)
        return jwt.PyJWK(jwt.algorithms.RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True) | {"alg": "RS256"})


@contextmanager
def served_api(assemblies: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[str, InProcess]]:
    """The address of the API, and what answers there, for as long as the context lasts."""
    template = Template(Assembly(synthesized(assemblies), LocalIdentifiers()))
    functions = InProcess(template)
    patch.setattr(access_tokens, "_published_keys", _PublishedKeys)
    patch.setattr(access_tokens, "_issuer", lambda: ISSUER)
    verifier = TokenVerifier(ISSUER, frozenset({settings().user_pool_client_id}), {KEY_ID: _KEY.public_key()})
    with listen(0) as listening:
        server = GatewayServer(Gateway(template.rest_api(), verifier, functions, StringIO()), listening)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", functions
        server.stop()


def access_token(role: Role, county_id: str) -> str:
    """A token that the gateway takes, of somebody with a role in one county."""
    client = settings().user_pool_client_id
    claims = {"client_id": client, **claims_of(role, [county_id]), "iss": ISSUER, "exp": time.time() + 3600}
    return jwt.encode(json.loads(json.dumps(claims)), _KEY, algorithm="RS256", headers={"kid": KEY_ID})
