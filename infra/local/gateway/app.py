"""The gateway as an ASGI application, and the server that runs it."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO
from uuid import uuid4

import orjson
import uvicorn

from infra.local.errors import LocalCloudError
from infra.local.gateway.authorizers import (
    AuthorizerFailedError,
    DeniedError,
    NotAuthorizedError,
    RequestAuthorizers,
)
from infra.local.gateway.events import ApiIdentity, Headers, Request
from infra.local.gateway.gateway_responses import (
    ACCESS_DENIED,
    AUTHORIZER_FAILED,
    FAILED,
    HEADERS_TOO_LARGE,
    TIMEOUT,
    TOO_LARGE,
    UNAUTHORIZED,
    UNKNOWN_ROUTE,
    GatewayResponses,
    ResponseType,
)
from infra.local.gateway.processes import EventTooLargeError, FunctionTimeoutError, Invoker
from infra.local.gateway.routing import Match, Router
from infra.local.gateway.tokens import RefusedTokenError, TokenVerifier
from infra.local.quotas import BODY_BYTES, HEADER_BYTES
from infra.local.rest_api import RestApi, Route

_LOG_EVERY = 0.2
"""Seconds in which lines of the request log are gathered: one write each would be a tenth of a request's time."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)


class PortUnavailableError(LocalCloudError):
    """The API's port is taken, or not for us to take."""


class _RefusedError(Exception):
    def __init__(self, refusal: ResponseType) -> None:
        super().__init__(refusal.type)
        self.refusal = refusal


class Gateway:
    """Routes, checks tokens, and calls the function, which runs elsewhere: requests do not wait for each other."""

    def __init__(self, api: RestApi, verifier: TokenVerifier, functions: Invoker, log: TextIO) -> None:
        self._router = Router(api.routes)
        self._refusals = GatewayResponses(api.answers)
        self._verifier = verifier
        self._authorizers = RequestAuthorizers(ApiIdentity(api.identifier, api.stage), functions)
        self._functions = functions
        self._log = log
        self._lines: list[bytes] = []

    def flush(self) -> None:
        """Write out what is left of the request log."""
        lines, self._lines = self._lines, []
        if lines:
            self._log.write(b"\n".join([*lines, b""]).decode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request_id = str(uuid4())
        subject = None
        try:
            request = await _read(scope, receive)
            status, headers, body, subject = await self._answer(request, request_id)
        except _RefusedError as refused:
            rendered = self._refusals.render(refused.refusal, request_id)
            status, body = rendered.status, rendered.body
            headers = [(name.encode(), value.encode()) for name, value in rendered.headers.items()]
        headers.append((b"content-length", str(len(body)).encode()))
        headers.append((b"x-amzn-requestid", request_id.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._write(scope, request_id, subject, status, len(body), started)

    async def _answer(self, request: Request, request_id: str) -> tuple[int, Headers, bytes, str | None]:
        match = self._router.match(request.method, request.path)
        if match is None:
            raise _RefusedError(UNKNOWN_ROUTE)
        route = match.route
        authorized = await self._authorize(request, match, request_id)
        try:
            status, answered, body = await self._functions.answer(
                route.function, request, match, request_id, authorized
            )
        except EventTooLargeError as error:
            raise _RefusedError(TOO_LARGE) from error
        except FunctionTimeoutError as error:
            _log.warning("%s %s took too long, request %s", request.method, request.path, request_id)
            raise _RefusedError(TIMEOUT) from error
        except Exception as error:
            _log.exception("%s %s failed, request %s", request.method, request.path, request_id)
            raise _RefusedError(FAILED) from error
        return status, _as_sent_on(answered), body, _subject(authorized)

    async def _authorize(self, request: Request, match: Match, request_id: str) -> Mapping[str, Any] | None:
        """`requestContext.authorizer` of the event; None on a route that needs no credentials."""
        authorizer = match.route.authorizer
        if authorizer is None:
            return self._verified(match.route, request.headers)
        try:
            return await self._authorizers.authorize(authorizer, request, match, request_id)
        except NotAuthorizedError as refused:
            raise _RefusedError(UNAUTHORIZED) from refused
        except DeniedError as refused:
            raise _RefusedError(ACCESS_DENIED) from refused
        except AuthorizerFailedError as error:
            _log.exception("%s %s: the authorizer failed, request %s", request.method, request.path, request_id)
            raise _RefusedError(AUTHORIZER_FAILED) from error

    def _verified(self, route: Route, headers: Headers) -> Mapping[str, Any] | None:
        if route.scopes is None:
            return None
        sent = next((value.decode("latin-1") for name, value in headers if name == b"authorization"), "")
        token = sent[7:] if sent[:7].lower() == "bearer " else sent
        try:
            verified = self._verifier.verify(token.strip())
        except RefusedTokenError as refused:
            _log.info("a token was refused: %s", refused)
            raise _RefusedError(UNAUTHORIZED) from refused
        if route.scopes and verified.scopes.isdisjoint(route.scopes):
            raise _RefusedError(ACCESS_DENIED)
        return {"claims": dict(verified.claims)}

    def _write(
        self, scope: Scope, request_id: str, subject: str | None, status: int, size: int, started: float
    ) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request_id,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "bytes": size,
            "milliseconds": round((time.perf_counter() - started) * 1000, 2),
            "subject": subject,
        }
        self._lines.append(orjson.dumps(line))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(_LOG_EVERY, self.flush)


def _subject(authorized: Mapping[str, Any] | None) -> str | None:
    if authorized is None:
        return None
    subject: str | None = authorized.get("claims", authorized).get("sub")
    return subject


def _as_sent_on(headers: Headers) -> Headers:
    """A function's headers as API Gateway sends them on: it renames the challenge (its guide, "Important notes")."""
    return [(b"x-amzn-remapped-" + name if name == b"www-authenticate" else name, value) for name, value in headers]


async def _read(scope: Scope, receive: Receive) -> Request:
    """The whole request. Raises _RefusedError when it is too large, having read no more than the limit."""
    head = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])
    if head + sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        raise _RefusedError(HEADERS_TOO_LARGE)
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > BODY_BYTES:
        raise _RefusedError(TOO_LARGE)
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            raise _RefusedError(TOO_LARGE)
        if not message.get("more_body", False):
            break
    client = scope.get("client") or ("127.0.0.1", 0)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"],
        headers=list(scope["headers"]),
        body=body,
        source_ip=client[0],
        protocol=f"HTTP/{scope['http_version']}",
    )


def listen(port: int) -> socket.socket:
    """A socket on this machine only; 0 takes a free port. Raises PortUnavailableError."""
    # asyncio turns off Nagle's algorithm only where the protocol is named; with it every answer waits 40 ms
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise PortUnavailableError(f"Port {port} cannot be used ({reason}): choose another --port") from error
    return listening


class GatewayServer:
    """Serves a gateway on a listening socket, which stays the caller's, from a thread of its own."""

    def __init__(self, gateway: Gateway, listening: socket.socket) -> None:
        self._gateway = gateway
        self._socket = listening
        config = uvicorn.Config(
            gateway,
            http="httptools",
            loop="auto",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            # longer than clients keep theirs: where both end an idle connection at once, a request on it is lost
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def start(self) -> None:
        """Returns when requests are answered."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)

    def stop(self) -> None:
        """Answers what is under way, then ends."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=3)
        self._gateway.flush()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))
