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
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.cloud_assembly import Assembly
from infra.local.gateway import ApiIdentity, Gateway, GatewayServer, TokenVerifier, listen
from infra.local.gateway.events import Headers, Request, proxy_answer, proxy_event
from infra.local.gateway.routing import Match
from infra.local.resource_names import LocalIdentifiers
from infra.local.synthesis import synthesized
from infra.local.template import Template
from shared.access import Role
from tests.gateway import LambdaContext, claims_of

ISSUER, CLIENT, KEY_ID = "https://issuer.invalid/pool", "application", "one"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class InProcess:
    """Answers by the handlers of the template's functions, one request at a time."""

    def __init__(self, template: Template) -> None:
        self._handlers = {function.arn: function.handler for function in template.functions()}
        self.seconds: list[float] = []

    async def answer(
        self, arn: str, request: Request, match: Match, request_id: str, claims: Mapping[str, str] | None, /
    ) -> tuple[int, Headers, bytes]:
        """The handler's answer."""
        module, _, name = self._handlers[arn].rpartition(".")
        handler: Any = getattr(importlib.import_module(module), name)
        event = proxy_event(request, match.route.path, match.parameters, ApiIdentity("api", "test"), request_id, claims)
        started = time.perf_counter()
        answered = proxy_answer(handler(event, LambdaContext()))
        self.seconds.append(time.perf_counter() - started)
        return answered


@contextmanager
def served_api(assemblies: Path) -> Iterator[tuple[str, InProcess]]:
    """The address of the API, and what answers there, for as long as the context lasts."""
    template = Template(Assembly(synthesized(assemblies), LocalIdentifiers()))
    functions = InProcess(template)
    verifier = TokenVerifier(ISSUER, frozenset({CLIENT}), {KEY_ID: _KEY.public_key()})
    with listen(0) as listening:
        server = GatewayServer(Gateway(template.rest_api(), verifier, functions, StringIO()), listening)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", functions
        server.stop()


def access_token(role: Role, county_id: str) -> str:
    """A token that the gateway takes, of somebody with a role in one county."""
    claims = {**claims_of(role, [county_id]), "iss": ISSUER, "client_id": CLIENT, "exp": time.time() + 3600}
    return jwt.encode(json.loads(json.dumps(claims)), _KEY, algorithm="RS256", headers={"kid": KEY_ID})
