"""The platform's HTTPS API as the command line calls it: the same calls that any other program would make."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import uuid4

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from infra.cli.errors import ApiError, ApiUnreachableError, JobFailedError

FINISHED = frozenset({"succeeded", "failed", "cancelled", "awaiting_approval"})
POLL_SECONDS = 0.3
_PASSING = frozenset({429, 500, 502, 503, 504})
_ATTEMPTS = 7
"""Further attempts at what failed for a reason that may pass, over half a minute: a database's failover takes that."""
_PATIENCE = Timeout(connect=10, read=60)


class ApiClient:
    """A signed-in session.

    What failed for a reason that may pass is tried again: a GET, and a POST where the API was not there or said that
    it was busy. Every POST carries an Idempotency-Key, so that trying again repeats nothing.
    """

    def __init__(self, api_url: str) -> None:
        self._url = api_url.rstrip("/")
        self._http = _connections(self._url)
        self._headers: dict[str, str] = {}
        self._refresh_token = ""

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.clear()

    def login(self, username: str, password: str) -> None:
        """Sign in; the token goes with every call from now on. Raises ApiError, ApiUnreachableError."""
        body = {"username": username, "password": password}
        tokens = self._answer(self._send("POST", "/v1/auth/login", body, retries=False))
        if "challenge" in tokens:
            raise ApiError(401, {"title": "A new password is needed", "detail": "Set one at /v1/auth/challenge."})
        self._refresh_token = tokens["refresh_token"]
        self._use(tokens["access_token"])

    def renew(self) -> None:
        """Take a new access token: the counties and roles as they are now."""
        self._use(self.post("/v1/auth/refresh", {"refresh_token": self._refresh_token})["access_token"])

    def get(self, path: str, **query: Any) -> Any:
        """GET; the JSON that comes back, from where a 303 sends to if it is large. Raises ApiError."""
        response = self._get(path, query)
        if response.status != 303:
            return self._answer(response)
        with _signed(response) as document:
            return json.loads(document.read())

    def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        """POST JSON; the JSON that comes back. Raises ApiError."""
        return self._answer(self.posted(path, body, key=key))

    def posted(self, path: str, body: object, *, key: str | None = None) -> BaseHTTPResponse:
        """POST JSON; the whole response, whatever it says."""
        busy = Retry(_ATTEMPTS, status_forcelist=_PASSING - {500}, **_RETRY)
        return self._send("POST", path, body, {"Idempotency-Key": key or str(uuid4())}, retries=busy)

    def put(self, path: str, body: object, *, etag: str) -> Any:
        """PUT JSON over the version that `etag` names. Raises ApiError."""
        return self._answer(self._send("PUT", path, body, {"If-Match": etag}, retries=False))

    def etag(self, path: str) -> str:
        """The ETag of a resource. Raises ApiError."""
        response = self._get(path)
        self._answer(response)
        return response.headers["etag"]

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """The items of all pages of a list."""
        token: str | None = None
        while True:
            page = self.get(path, **query, page_token=token)
            yield from page["items"]
            token = page["next_page_token"]
            if token is None:
                return

    def wait(self, job: Mapping[str, Any], watch: Callable[[Mapping[str, Any]], None] | None = None) -> dict[str, Any]:
        """Follow a job until it ends or waits for somebody. Raises JobFailedError where it failed."""
        while True:
            current: dict[str, Any] = self.get(job["links"]["self"])
            state = current.get("job", current)
            if watch is not None:
                watch(current)
            if state["status"] in FINISHED:
                if state["status"] == "failed":
                    raise JobFailedError(state)
                return current
            time.sleep(POLL_SECONDS)

    def download(self, path: str, target: Path) -> Path:
        """Follow a download's redirect and keep the file. Raises ApiError."""
        response = self._get(path)
        if response.status != 303:
            self._answer(response)
        with _signed(response) as content, target.open("wb") as file:
            for chunk in content.stream(1 << 20):
                file.write(chunk)
        return target

    def upload(self, address: str, file: Path) -> None:
        """Send a file to a signed address. Raises ApiError."""
        headers = {"Content-Length": str(file.stat().st_size)}
        with _connections(address) as signed, file.open("rb") as stream:
            response = signed.request("PUT", address, body=stream, headers=headers, timeout=300)
        if response.status != 200:
            raise ApiError(response.status, {"title": "The file was not taken", "detail": "Send it again."})

    def _use(self, access_token: str) -> None:
        self._headers["Authorization"] = f"Bearer {access_token}"

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> BaseHTTPResponse:
        fields = {name: _in_query(value) for name, value in (query or {}).items() if value is not None}
        return self._send("GET", path, fields=fields, retries=Retry(_ATTEMPTS, status_forcelist=_PASSING, **_RETRY))

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        retries: Retry | bool,
    ) -> BaseHTTPResponse:
        """The response; where the access token has expired meanwhile, that to the same request with a new one."""
        kind = {"Content-Type": "application/json"} if body is not None else {}

        def request() -> BaseHTTPResponse:
            return self._http.request(
                method,
                self._url + path,
                fields=fields or None,
                json=body,
                headers={**self._headers, **kind, **(headers or {})},
                retries=retries,
                redirect=False,
                timeout=_PATIENCE,
            )

        try:
            response = request()
            if response.status != 401 or not self._refresh_token or path.startswith("/v1/auth/"):
                return response
            self.renew()
            return request()
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise ApiUnreachableError(f"{self._url} does not answer: {_plainly(reason)}.") from error

    @staticmethod
    def _answer(response: BaseHTTPResponse) -> Any:
        if 200 <= response.status < 300:
            return json.loads(response.data) if response.data else None
        try:
            problem = json.loads(response.data)
        except ValueError:
            problem = {"title": response.reason, "detail": response.data[:500].decode(errors="replace")}
        request_id = problem.get("request_id") or response.headers.get("x-amzn-requestid")
        raise ApiError(response.status, problem, request_id)


_RETRY: dict[str, Any] = {
    "redirect": 0,
    "allowed_methods": None,
    "backoff_factor": 0.5,
    "backoff_max": 8,
    "raise_on_status": False,
}


@contextmanager
def _signed(redirect: BaseHTTPResponse) -> Iterator[BaseHTTPResponse]:
    """The object at a redirect's signed address, fetched without our token: the address is its own permission."""
    address = redirect.headers["location"]
    with _connections(address) as connections:
        response = connections.request("GET", address, preload_content=False, timeout=300)
        if response.status != 200:
            raise ApiError(response.status, {"title": "The file cannot be read", "detail": "Ask for it again."})
        yield response


def _connections(url: str) -> PoolManager:
    """Connections to where a URL leads, through the machine's proxy where it has one for that."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return ProxyManager(proxy)
    return PoolManager()


def _in_query(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plainly(reason: object) -> str:
    """A connection's failure without the addresses in memory that urllib3 puts before it."""
    return str(reason).rpartition(": ")[2].rstrip(".")
