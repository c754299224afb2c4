"""moto's server on a loopback port: each change is on disk before it is answered."""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from infra.local.aws.authorization import Authorization, Refusal
from infra.local.aws.checksums import BAD_DIGEST, is_content_altered
from infra.local.aws.objects import DiskKey, chunks, reading

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_LARGE = 1 << 20
_READ_ONLY = ("Get", "List", "Describe", "AdminGet", "AdminList")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *arguments: Any) -> None:  # noqa: A002  # werkzeug's signature
        """Requests are not logged here: the gateway logs those that matter."""


class AwsServer:
    """Serves every AWS service from one endpoint, as far as the caller's role allows it.

    `write_down(service)` is called after each change.
    """

    def __init__(
        self, write_down: Callable[[str], None], authorization: Authorization, preferred_port: int = 0
    ) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._write_down = write_down
        self._authorization = authorization
        # moto holds a request's body several times over, and boto3 sends ten parts of a file at once
        self._large_bodies = threading.BoundedSemaphore(2)
        self._server = self._bound(preferred_port)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="aws", daemon=True)

    @property
    def endpoint(self) -> str:
        """The address for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when requests are answered."""
        os.environ["MOTO_PORT"] = str(self.port)  # where moto's state machines call Lambda and read S3
        self._thread.start()

    def stop(self) -> None:
        """Answers nothing more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _bound(self, preferred_port: int) -> BaseWSGIServer:
        """The port of the last run if it is free, so that signed addresses stay good."""
        try:
            return make_server("127.0.0.1", preferred_port, self._answer, threaded=True, request_handler=_QuietHandler)
        except (OSError, SystemExit):  # werkzeug exits when a port is taken
            return make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_QuietHandler)

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        refusal = self._authorization.refusal(environ)
        if refusal is not None:
            return _refuse(refusal, environ, start_response)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._answer_reading(environ, start_response)
        if is_content_altered(environ):
            refusal = Refusal("400 Bad Request", [("Content-Type", "application/xml")], BAD_DIGEST)
            return _refuse(refusal, environ, start_response)
        large = int(environ.get("CONTENT_LENGTH") or 0) > _LARGE
        with self._large_bodies if large else nullcontext():
            body: Iterable[bytes] = self._moto(environ, start_response)
        service = changed_service(environ)
        if service:
            self._write_down(service)
        return body

    def _answer_reading(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A GET that moto would answer with an object's contents is answered with its file, piece by piece."""
        range_header = environ.pop("HTTP_RANGE", None)
        answered: list[Any] = []
        reading.deferred, reading.key = True, None
        try:
            body: Iterable[bytes] = self._moto(environ, lambda *arguments, **_: answered.append(arguments))
            key = reading.key
        finally:
            reading.deferred, reading.key = False, None
        status, headers = answered[0][0], answered[0][1]
        if str(status).startswith("404") and (refusal := self._authorization.hides_missing(environ)):
            return _refuse(refusal, environ, start_response)
        if key is None or environ["REQUEST_METHOD"] == "HEAD" or not str(status).startswith("200"):
            start_response(status, headers)
            return body
        return _send_file(key, range_header, list(headers), start_response)


def _refuse(refusal: Refusal, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))  # else the client is cut off while it sends
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else refusal.body
    start_response(refusal.status, [*refusal.headers, ("Content-Length", str(len(body)))])
    return [body]


def changed_service(environ: Environ) -> str | None:
    """The service whose memory the request may have changed, by the name that its calls are signed for."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, action = target.rpartition(".")
        if action.startswith(_READ_ONLY):
            return None
        return {
            "AWSCognitoIdentityProviderService": "cognito-idp",
            "secretsmanager": "secretsmanager",
            "AWSStepFunctions": "states",
        }.get(service)
    if environ["REQUEST_METHOD"] == "HEAD":
        return None
    return "scheduler" if "/scheduler/aws4_request" in environ.get("HTTP_AUTHORIZATION", "") else "s3"


def _send_file(
    key: DiskKey, range_header: str | None, headers: list[tuple[str, str]], start_response: StartResponse
) -> Iterable[bytes]:
    other_headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    piece = byte_range(range_header, key.contentsize)
    if piece is None:
        start_response("416 Range Not Satisfiable", [("Content-Range", f"bytes */{key.contentsize}")])
        return []
    start, length = piece
    status = "200 OK"
    if range_header and length != key.contentsize:
        status = "206 Partial Content"
        # The checksum is that of the whole object, and clients hold what they are sent against it.
        other_headers = [
            (name, value) for name, value in other_headers if not name.lower().startswith("x-amz-checksum-")
        ]
        other_headers.append(("Content-Range", f"bytes {start}-{start + length - 1}/{key.contentsize}"))
    contents: Iterator[bytes] = chunks(key.path.open("rb"), start, length)
    start_response(status, [*other_headers, ("Content-Length", str(length))])
    return contents


def byte_range(range_header: str | None, size: int) -> tuple[int, int] | None:
    """Start and length of a Range header's piece; the whole for a header that is not understood (RFC 9110, 14.2).

    None when the range begins behind the end.
    """
    match = _RANGE.match(range_header) if range_header else None
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else None
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    return (start, end - start + 1) if start <= end else None
