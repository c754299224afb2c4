"""One POST to an address of a county's choice: over TLS, to a public address, without redirects, bounded in all."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Timer
from urllib.parse import urlsplit

from shared.problems import SourceRefused, SourceUnavailable
from shared.sources.network import open_socket

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
"""From the first byte sent to the answer's last. The Standard Webhooks specification recommends 15 to 30 seconds."""
MAX_ANSWER_BYTES = 64 << 10
"""Bytes of an answer that are read, and dropped. A choice."""
USER_AGENT = "TerraFusion-Webhooks/1"


@dataclass(frozen=True)
class Outcome:
    """The end of an attempt: the status of the response, where there was one, and what went wrong."""

    status: int | None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None


class _Connection(HTTPConnection):
    """A TLS connection to an address that was judged when it was connected to, whatever its name resolves to later."""

    def connect(self) -> None:
        opened = open_socket(self.host, self.port, CONNECT_SECONDS)
        try:
            self.sock = _tls().wrap_socket(opened, server_hostname=self.host)
        except BaseException:
            opened.close()
            raise


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Send a message. Nothing that goes wrong on the way raises."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Connection(parts.hostname or "", parts.port or 443, timeout=CONNECT_SECONDS)
    sent = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close", **headers}
    try:
        connection.connect()
        with _within(TOTAL_SECONDS, connection.sock):
            connection.request("POST", path, body, sent)
            response = connection.getresponse()
            response.read(MAX_ANSWER_BYTES)
    except SourceRefused:
        return Outcome(None, "Its address is a private, local or reserved one, to which nothing is sent.")
    except SourceUnavailable as problem:
        return Outcome(None, problem.detail)
    except ssl.SSLError:
        return Outcome(None, "Its certificate cannot be verified, or the line not encrypted.")
    except (OSError, HTTPException, UnicodeError):
        return Outcome(None, f"It did not answer within {TOTAL_SECONDS:.0f} seconds, or not in HTTP.")
    finally:
        connection.close()
    if 200 <= response.status < 300:
        return Outcome(response.status)
    kind = "a redirect, which is not followed" if 300 <= response.status < 400 else "no success"
    return Outcome(response.status, f"It answered {response.status}, {kind}.")


@contextmanager
def _within(seconds: float, connected: socket.socket) -> Iterator[None]:
    """End a connection after a time: a receiver that sends byte by byte never exceeds a timeout of its own."""
    connected.settimeout(seconds)
    timer = Timer(seconds, connected.shutdown, (socket.SHUT_RDWR,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _tls() -> ssl.SSLContext:
    """Certificates of public authorities, and the host's name in them; TLS 1.2 at least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
