"""A client of JSON over HTTPS, with retries of busy servers."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as SilenceError
from urllib3.response import BaseHTTPResponse

from shared.problems import SourceRefused, SourceTimeout, SourceUnavailable
from shared.sources.network import Timeouts, open_socket, run_timeouts

MAX_TRIES = run_timeouts().tries
MAX_WAIT_S = 60.0
"""Longest wait between two tries, in seconds; a server that asks for more is given up. A choice: a Lambda waits
idle."""
MAX_ANSWER_BYTES = 128 << 20
"""Largest answer. A choice: a page of parcels is a few megabytes."""
MAX_ANSWER_S = 600.0
"""Seconds from the first byte of an answer to its last: a server that sends byte by byte never exceeds the silence
timeout. A choice, two thirds of a task's 900 s."""
REFUSED_SLUG = "source-refused"
"""Slug of a refusal by the server itself, as opposed to a failed connection."""
_BUSY = frozenset({202, 408, 425, 429, 500, 502, 503, 504})
_MAX_SHOWN_BYTES = 60


class BusyError(Exception):
    """An answer for which the request is to be repeated; `after`: the seconds that the server named."""

    def __init__(self, message: str, after: float | None = None, *, silent: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.silent = silent


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


def _connected(connection: HTTPConnection) -> socket.socket:
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else run_timeouts().connect_seconds
    try:
        return open_socket(connection._dns_host, connection.port, seconds)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "the connection timed out") from error
    except OSError as error:
        raise NewConnectionError(connection, "no connection") from error


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class JsonClient:
    """Client of the JSON resources below one address. Credentials are sent in `headers`, never in a URL."""

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._address = address.rstrip("/")
        self._sleep = sleep
        self._timeouts = timeouts or run_timeouts()
        self._pool = urllib3.PoolManager(headers={"Accept": "application/json", **headers})
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def get(self, path: str, parameters: Mapping[str, str], refused: Callable[[int, Any], str | None]) -> Any:
        """GET a JSON document. `refused` judges an answer by its status and body: None for a valid one, the reason for
        a final refusal; it raises BusyError where a retry may help.

        Raises SourceUnavailable with the reason after the last try, SourceTimeout where the server was silent,
        SourceRefused at once where a retry would not help.
        """
        for tries_left in reversed(range(self._timeouts.tries)):
            try:
                return self._request(path, parameters, refused)
            except BusyError as busy:
                tried = self._timeouts.tries - tries_left
                wait = 2.0 ** (tried - 1) * random.uniform(0.5, 1.0) if busy.after is None else busy.after  # noqa: S311
                if not tries_left or wait > (self._timeouts.remaining_seconds or MAX_WAIT_S):
                    raise self._after_last_try(busy, tried, wait) from None
                if wait > MAX_WAIT_S:
                    raise self._unavailable(f"{busy}, and asks to wait {wait:.0f} seconds") from None
                self._sleep(wait)
        raise AssertionError

    def close(self) -> None:
        """Close connections."""
        self._pool.clear()

    def _request(self, path: str, parameters: Mapping[str, str], refused: Callable[[int, Any], str | None]) -> Any:
        timeouts = self._timeouts
        timeout = urllib3.Timeout(
            connect=timeouts.within_total(timeouts.connect_seconds),
            read=timeouts.within_total(timeouts.silence_seconds),
        )
        try:
            # a redirect could lead anywhere, and would take the credentials along
            answer = self._pool.request(
                "GET", self._address + path, fields=dict(parameters), redirect=False, retries=False,
                preload_content=False, timeout=timeout,
            )  # fmt: skip
            content = self._content(answer)
        except SSLError:
            raise self._refused("its certificate cannot be verified, or the line not encrypted") from None
        except SilenceError:
            raise BusyError("it does not answer", silent=True) from None
        except HTTPError:
            raise BusyError("the connection failed") from None
        if answer.status in _BUSY:
            raise BusyError(f"it answers {answer.status}", _seconds(answer.headers.get("Retry-After")))
        if 300 <= answer.status < 400:
            raise self._refused(f"it redirects elsewhere ({answer.status})")
        body = self._body(answer, content)
        reason = refused(answer.status, body)
        if reason is not None:
            raise self._refused(reason)
        return body

    def _content(self, answer: BaseHTTPResponse) -> bytes:
        content, began = bytearray(), time.monotonic()
        for chunk in answer.stream(1 << 16):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise self._refused(f"an answer has more than {MAX_ANSWER_BYTES >> 20} MB")
            if time.monotonic() - began > self._timeouts.within_total(MAX_ANSWER_S):
                raise BusyError("its answer does not come to an end", silent=True)
        answer.release_conn()
        return bytes(content)

    def _body(self, answer: BaseHTTPResponse, content: bytes) -> Any:
        try:
            return read_json(content)
        except ValueError as error:
            if answer.status != 200:
                return None
            if isinstance(error, TruncatedError):
                raise BusyError("its answer is cut off") from None
            kind = answer.headers.get("Content-Type", "without a content type")
            shown = content[:_MAX_SHOWN_BYTES].decode(errors="replace")
            raise self._refused(f"its answer is no JSON ({error}); it is {kind} and begins {shown!r}") from None

    def _after_last_try(self, busy: BusyError, tried: int, wait: float) -> SourceUnavailable:
        if busy.silent:
            host = urlsplit(self._address).hostname
            return SourceTimeout(f"{host}: the source cannot be read: {busy} (asked {tried} times).")
        if busy.after is not None and wait > MAX_WAIT_S:
            return self._unavailable(f"{busy}, and asks to wait {wait:.0f} seconds")
        return self._unavailable(f"{busy} (asked {tried} times)")

    def _unavailable(self, reason: str) -> SourceUnavailable:
        return SourceUnavailable(f"{urlsplit(self._address).hostname}: the source cannot be read: {reason}.")

    def _refused(self, reason: str) -> SourceRefused:
        return SourceRefused(
            f"{urlsplit(self._address).hostname}: the source cannot be read: {reason}.", slug=REFUSED_SLUG
        )


class TruncatedError(ValueError):
    """JSON that ends before it is complete."""


def read_json(content: bytes) -> Any:
    """Parse JSON as servers send it: with a byte order mark, NaN and Infinity, and control characters in texts.

    Raises TruncatedError, ValueError with the place.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no {error.encoding}") from None
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        if (text.strip() and error.pos >= len(text.rstrip())) or error.msg.startswith("Unterminated string"):
            raise TruncatedError(error.msg) from None
        raise ValueError(f"{error.msg.lower()} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by these services."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
