"""AWS Lambda's Runtime API for one event, as the runtime interface client in a function's process asks for it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

REQUEST_ID = "00000000-0000-4000-8000-000000000000"

SECRET = {"username": "nobody", "password": "none", "host": "127.0.0.1", "port": 9, "dbname": "terrafusion"}
"""Of a database that refuses connections."""


class RuntimeApi(ThreadingHTTPServer):
    """Hands out one event, and holds its answer."""

    daemon_threads = True

    def __init__(self, event: object) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.event: bytes | None = json.dumps(event).encode()
        self.asked = False
        self.answers: Queue[tuple[str, Any]] = Queue()
        """(`response`, the answer) or (`error`, the error document); `error` too where the function does not start."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Requests(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """`/invocation/next`: the second call waits for ever, as that of an idle function does; S3 is out of order."""
        if not self.path.endswith("/invocation/next"):
            self._answer(503, b"", {})
            return
        event, self.server.event = self.server.event, None
        if event is None:
            threading.Event().wait()
            return
        self.server.asked = True
        self._answer(
            200,
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": REQUEST_ID,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 29) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:started",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """`/invocation/ID/response`, `/invocation/ID/error` and `/init/error`; at `/` it is Secrets Manager."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.path.rpartition("/")[2]
        if self.path == "/":
            self._answer(200, json.dumps({"SecretString": json.dumps(SECRET), "VersionId": "1"}).encode(), {})
        elif kind in ("response", "error"):
            self._answer(202, b"{}", {})
            self.server.answers.put((kind, json.loads(body)))
        else:
            self._answer(503, b"", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the answers are held."""


@contextmanager
def runtime_api(event: object) -> Iterator[RuntimeApi]:
    """Serve the Runtime API with one event."""
    with RuntimeApi(event) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
