"""A service of AWS that is away, throttles or breaks off is a problem that requests and machines try again."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from shared import storage
from shared.aws import forget_clients
from shared.db.engine import database_url
from shared.problems import ServiceUnavailable
from shared.settings import settings
from shared.storage import StoredObject

Handler = type[BaseHTTPRequestHandler]


class Throttling(BaseHTTPRequestHandler):
    """Answers every request by 503, as S3 does under load."""

    def do_GET(self) -> None:
        body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()


class BreakingOff(BaseHTTPRequestHandler):
    """Promises a thousand bytes and gives ten."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(b"0123456789")
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def unreachable_aws(handler: Handler | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The endpoint of AWS at a server of this test's; None: at a port on which nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler or BaseHTTPRequestHandler)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("DATA_BUCKET", "data")
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's pauses between its own tries
    thread = Thread(target=server.serve_forever, daemon=True)
    if handler is None:
        server.server_close()
    else:
        thread.start()
    settings.cache_clear()
    forget_clients()
    try:
        yield
    finally:
        if handler is not None:
            server.shutdown()
            server.server_close()
        settings.cache_clear()
        forget_clients()


@pytest.mark.parametrize("handler", [None, Throttling, BreakingOff], ids=["away", "throttling", "breaking off"])
@pytest.mark.parametrize(
    "read",
    [
        lambda: storage.get("counties/a/b"),
        lambda: StoredObject("counties/a/b", '"1"', 1000).range(0, 1000),
        lambda: list(StoredObject("counties/a/b", '"1"', 1000).chunks(0, 100)),
    ],
    ids=["get", "range", "chunks"],
)
def test_reading_raises_service_unavailable(
    handler: Handler | None, read: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with unreachable_aws(handler, monkeypatch), pytest.raises(ServiceUnavailable) as raised:
        read()
    assert raised.value.slug == "object-store-unavailable"


@pytest.mark.parametrize("handler", [None, Throttling], ids=["away", "throttling"])
def test_writing_raises_service_unavailable(handler: Handler | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with unreachable_aws(handler, monkeypatch), pytest.raises(ServiceUnavailable) as raised:
        storage.put("counties/a/b", b"content")
    assert raised.value.slug == "object-store-unavailable"


@pytest.mark.parametrize("handler", [None, Throttling], ids=["away", "throttling"])
def test_a_database_whose_secret_cannot_be_read_is_unavailable(
    handler: Handler | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unreachable_aws(handler, monkeypatch), pytest.raises(ServiceUnavailable) as raised:
        database_url("arn:aws:secretsmanager:us-east-1:123456789012:secret:terrafusion")
    assert raised.value.slug == "secrets-unavailable"
