"""The protocol of the API: sign-in, attempts, idempotency, pages, jobs and files. Written once for both clients."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from terrafusion.errors import (
    DownloadError,
    JobFailedError,
    NewPasswordRequiredError,
    NotSignedInError,
    UnreachableError,
    WaitTimeoutError,
    problem_error,
)
from terrafusion.resource import Resource, in_query, to_json
from terrafusion.transport import Reply, Request, Transport

ATTEMPTS = 7
"""Further attempts at what failed for a reason that may pass, over half a minute: a database's failover takes that."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 8.0
MAX_RETRY_AFTER_SECONDS = 120.0
"""A longer Retry-After is the caller's to wait for. A choice."""
POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH = 0.3, 5.0, 1.2
"""The first pause between two looks at a job, the longest, and the growth from one to the next. Choices."""
EXPIRY_MARGIN_SECONDS = 30.0
"""A token that expires so soon is renewed first: the request has to arrive before it does."""
FINISHED = frozenset({"succeeded", "failed", "cancelled", "awaiting_approval"})
"""States in which a job goes on by nobody, or by a person's decision."""
TABLE_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
}
"""Media types of lists as files, by the file's ending."""

_BUSY = frozenset({429, 503})
"""The request was not carried out."""
_UNCERTAIN = frozenset({500, 502, 504})
"""It may have been: tried again only where twice is the same as once."""

Progress = Callable[[Any], None]


@dataclass(frozen=True)
class Credentials:
    """The credentials that a session signs in with: with a key, or with a user's password."""

    key: str | None = None
    username: str | None = None
    password: str | None = None
    new_password: str | None = None


class Session:
    """Requests of one caller to one API.

    What failed for a reason that may pass is tried again where that repeats nothing: a GET, and a POST by its
    Idempotency-Key, which is the same at each attempt.
    """

    def __init__(self, url: str, transport: Transport, credentials: Credentials) -> None:
        self._url = url.rstrip("/")
        self._transport = transport
        self._credentials = credentials
        self._token: str | None = None
        self._refresh_token: str | None = None
        self._expires_at = 0.0

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def sign_in(self) -> None:
        """Sign in with the user's password. Raises ProblemError, NewPasswordRequiredError, UnreachableError."""
        known = self._credentials
        if known.username is None:
            return
        tokens = await self._auth("login", {"username": known.username, "password": known.password or ""})
        if "challenge" in tokens:
            if known.new_password is None:
                raise NewPasswordRequiredError(known.username)
            answer = {"session": tokens["session"], "username": known.username, "new_password": known.new_password}
            tokens = await self._auth("challenge", answer)
            self._credentials = replace(known, password=known.new_password, new_password=None)
        self._refresh_token = tokens["refresh_token"]
        self._take(tokens)

    async def renew(self) -> None:
        """Take a new access token: the counties and roles as they are now."""
        if self._refresh_token is None:
            await self.sign_in()
            return
        try:
            self._take(await self._auth("refresh", {"refresh_token": self._refresh_token}))
        except NotSignedInError:  # the refresh token has expired too
            if self._credentials.password is None:
                raise
            await self.sign_in()

    async def sign_out(self) -> None:
        """End the session: its refresh token is accepted no more."""
        token, self._refresh_token, self._token = self._refresh_token, None, None
        if token is not None:
            await self._auth("logout", {"refresh_token": token})

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        if_match: Resource | str | None = None,
        accept: str | None = None,
        target: Path | None = None,
    ) -> Reply:
        """The successful response, or a redirect. Raises ProblemError, UnreachableError."""
        headers = {"Accept": accept} if accept else {}
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or str(uuid4())
        if if_match is not None:
            headers["If-Match"] = _entity_tag(if_match)
        reply = await self._authorized(self._request(method, path, headers, query, body), target)
        if reply.succeeded or reply.status == 303:
            return reply
        raise _problem(reply)

    async def json(self, method: str, path: str, **options: Any) -> tuple[Any, Reply]:
        """The JSON of an answer, from where a 303 leads to if it is large, and the response that said so."""
        reply = await self.request(method, path, **options)
        content = reply.content
        if reply.status == 303:
            content = (await self._signed(reply.headers["location"])).content
        return (json.loads(content) if content else None), reply

    async def pages(self, path: str, query: Mapping[str, object]) -> AsyncIterator[Any]:
        """The items of a list, page by page as they are asked for."""
        token: str | None = None
        while True:
            page, _ = await self.json("GET", path, query={**query, "page_token": token} if token else query)
            items = page if isinstance(page, list) else page["items"]
            for item in items:
                yield item
            token = None if isinstance(page, list) else page["next_page_token"]
            if token is None:
                return

    async def wait(
        self, link: str, progress: Progress | None, timeout: float | None, read: Callable[[Any], Any] = lambda job: job
    ) -> dict[str, Any]:
        """Follow a job until it ends or waits for a decision. Raises JobFailedError, WaitTimeoutError."""
        started, pause = time.monotonic(), POLL_SECONDS
        while True:
            job, _ = await self.json("GET", link)
            if progress is not None:
                progress(read(job))
            if job["status"] == "failed":
                raise JobFailedError(job)
            if job["status"] in FINISHED:
                finished: dict[str, Any] = job
                return finished
            if timeout is not None and time.monotonic() - started + pause >= timeout:
                raise WaitTimeoutError(job, timeout)
            await self._transport.sleep(pause)
            pause = min(pause * POLL_GROWTH, MAX_POLL_SECONDS)

    async def download(
        self, path: str, target: Path, query: Mapping[str, object] | None = None, accept: str | None = None
    ) -> Path:
        """Keep what a path answers, or redirects to, as the file `target`; nothing is left where it breaks off."""
        reply = await self.request("GET", path, query=query, accept=accept, target=target)
        if reply.status == 303:
            await self._signed(reply.headers["location"], target)
        return target

    async def upload(self, url: str, file: Path, headers: Mapping[str, str]) -> None:
        """Send a file to a signed address. Raises DownloadError, UnreachableError."""
        reply = await self._transport.upload(url, file, headers)
        if not reply.succeeded:
            raise DownloadError(f"{reply.status}: the file was not accepted. Ask for a new address, and send it again.")

    async def _auth(self, action: str, body: Mapping[str, str]) -> Any:
        """A route of /v1/auth, asked once: what it refuses it goes on refusing."""
        reply = await self._transport.send(self._request("POST", f"/v1/auth/{action}", {}, None, body))
        if not reply.succeeded:
            raise _problem(reply)
        return json.loads(reply.content) if reply.content else None

    def _take(self, tokens: Mapping[str, Any]) -> None:
        self._token = tokens["access_token"]
        self._expires_at = time.monotonic() + float(tokens["expires_in"]) - EXPIRY_MARGIN_SECONDS

    async def _authorized(self, request: Request, target: Path | None) -> Reply:
        """The response; to the same request with a new token where the one before is accepted no more."""
        if self._credentials.username is not None and (self._token is None or time.monotonic() > self._expires_at):
            await self.renew()
        reply = await self._attempts(self._with_token(request), target)
        if reply.status == 401 and self._credentials.username is not None:
            await self.renew()
            reply = await self._attempts(self._with_token(request), target)
        return reply

    async def _attempts(self, request: Request, target: Path | None = None) -> Reply:
        repeatable = request.method == "GET" or "Idempotency-Key" in request.headers
        for pause in _pauses():
            try:
                reply = await self._transport.send(request, target)
            except UnreachableError:
                if not repeatable:
                    raise
            else:
                waits = _retry_after(reply)
                passing = reply.status in _BUSY or (repeatable and reply.status in _uncertain(request.method))
                if not passing or (waits or 0) > MAX_RETRY_AFTER_SECONDS:
                    return reply
                pause = max(pause, waits or 0)
            await self._transport.sleep(pause)
        return await self._transport.send(request, target)

    async def _signed(self, location: str, target: Path | None = None) -> Reply:
        """The object at a signed address, fetched without our token: the address is its own permission."""
        reply = await self._attempts(Request("GET", location), target)
        if not reply.succeeded:
            raise DownloadError(f"{reply.status}: the file cannot be read. Ask for it again.")
        return reply

    def _with_token(self, request: Request) -> Request:
        token = self._credentials.key or self._token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return replace(request, headers={**request.headers, **headers})

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, object] | None, body: object
    ) -> Request:
        if not path.startswith("/"):
            raise ValueError(f"{path}: a path begins with /")  # whatever else would get our token
        content = None if body is None else to_json(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        texts = {name: in_query(value) for name, value in (query or {}).items() if value is not None}
        return Request(method, self._url + path, {**headers, **kind}, texts, content)


def _pauses() -> list[float]:
    return [min(FIRST_PAUSE_SECONDS * 2**attempt, MAX_PAUSE_SECONDS) for attempt in range(ATTEMPTS)]


def _uncertain(method: str) -> frozenset[int]:
    """A POST that failed inside is answered the same again: its Idempotency-Key is known."""
    return _UNCERTAIN if method == "GET" else _UNCERTAIN - {500}


def _retry_after(reply: Reply) -> float | None:
    """Seconds that the response asks to wait, as a number or a time (RFC 9110, 10.2.3)."""
    text = reply.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None


def _entity_tag(version: Resource | str) -> str:
    tag = version if isinstance(version, str) else version.entity_tag()
    if tag is None:
        raise ValueError("this resource came without an ETag: read it by itself before it is changed")
    return tag


def _problem(reply: Reply) -> Exception:
    try:
        problem = json.loads(reply.content)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"title": "The answer is no problem document", "detail": reply.content[:500].decode(errors="replace")}
    return problem_error(reply.status, problem, reply.headers.get("x-amzn-requestid"))
