"""JSON over HTTPS, patient with servers that are busy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
import urllib3
from urllib3.exceptions import HTTPError

from shared.problems import SourceUnavailable

TRIES = 6
LONGEST_WAIT = 60.0
"""Seconds between two tries at most; a server that asks for more is given up."""
LARGEST_ANSWER = 128 << 20
"""Bytes. A page of parcels is a few megabytes."""
REFUSED = "source-refused"
"""The slug of a problem that the server itself told, beside those of the connection."""
_BUSY = frozenset({429, 500, 502, 503, 504})


class BusyError(Exception):
    """The server said in its answer that it should be asked again; `after` are the seconds that it named."""

    def __init__(self, said: str, after: float | None = None) -> None:
        super().__init__(said)
        self.after = after


class JsonClient:
    """Gets JSON from below one address. Credentials travel in `headers`, so that no address has them."""

    def __init__(
        self, address: str, headers: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._address = address.rstrip("/")
        self._sleep = sleep
        timeout = urllib3.Timeout(connect=15, read=120)
        self._pool = urllib3.PoolManager(headers={"Accept": "application/json", **headers}, timeout=timeout)

    def get(self, path: str, parameters: Mapping[str, str], refused: Callable[[int, Any], str | None]) -> Any:
        """The JSON of an answer. `refused` says what an answer with this status means: None for a good one, a reason
        for one that is final; it raises BusyError for one to be asked again.

        Raises SourceUnavailable with the reason, after TRIES tries.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._once(path, parameters, refused)
            except BusyError as busy:
                if not left:
                    raise self._unavailable(f"{busy} (asked {TRIES} times)") from None
                wait = 2.0 ** (TRIES - 1 - left) * random.uniform(0.5, 1.0) if busy.after is None else busy.after  # noqa: S311
                if wait > LONGEST_WAIT:
                    raise self._unavailable(f"{busy}, and asks to wait {wait:.0f} seconds") from None
                self._sleep(wait)
        raise AssertionError

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def _once(self, path: str, parameters: Mapping[str, str], refused: Callable[[int, Any], str | None]) -> Any:
        try:
            # a redirect could lead anywhere, and would take the credentials along
            answer = self._pool.request(
                "GET", self._address + path, fields=dict(parameters), redirect=False, retries=False,
                preload_content=False,
            )  # fmt: skip
            content = answer.read(LARGEST_ANSWER + 1)
            answer.release_conn()
        except HTTPError as error:
            raise BusyError(f"the connection failed ({type(error).__name__})") from None
        if len(content) > LARGEST_ANSWER:
            raise self._unavailable(f"an answer has more than {LARGEST_ANSWER >> 20} MB")
        if answer.status in _BUSY:
            raise BusyError(f"it answers {answer.status}", _seconds(answer.headers.get("Retry-After")))
        if 300 <= answer.status < 400:
            raise self._unavailable(f"it redirects elsewhere ({answer.status})")
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            if answer.status == 200:  # cut off, or a proxy's page
                raise BusyError("its answer is no JSON") from None
            body = None
        reason = refused(answer.status, body)
        if reason is not None:
            raise self._unavailable(reason, REFUSED)
        return body

    def _unavailable(self, reason: str, slug: str | None = None) -> SourceUnavailable:
        host = urlsplit(self._address).netloc
        return SourceUnavailable(f"{host}: the source cannot be read: {reason}.", slug=slug)


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by these services."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
