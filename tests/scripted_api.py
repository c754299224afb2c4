"""An API on loopback whose answers a test writes down, and what it was asked."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKENS = {"access_token": "a", "refresh_token": "r", "expires_in": 900}


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response; a `body` of bytes is sent as it is, another as JSON. `hang_up` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False


@contextmanager
def scripted_api(answers: Callable[[Asked], Answer]) -> Iterator[tuple[str, list[Asked]]]:
    """The address of an API that answers as `answers` says, signs everybody in, and keeps what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            request = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            asked.append(request)
            answer = Answer(200, TOKENS) if request.path == "/v1/auth/login" else answers(request)
            if answer.hang_up:
                self.close_connection = True
                return
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"x-amzn-requestid": "request-1", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the server's names

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 - the server's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def in_turn(*answers: Answer, then: Answer | None = None) -> Callable[[Asked], Answer]:
    """Each answer once, in this order; then `then`, or the last one, for ever."""
    waiting = list(answers)
    return lambda _request: waiting.pop(0) if len(waiting) > (then is None) else then or waiting[0]
