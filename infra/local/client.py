"""The platform's HTTPS API as the command line calls it: the same calls that any other program would make."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

FINISHED = frozenset({"succeeded", "failed", "cancelled", "awaiting_approval"})
POLL_SECONDS = 0.3


class ApiError(RuntimeError):
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        faults = [f"\n  {fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}{''.join(faults)}")


class JobFailedError(RuntimeError):
    """A job ended otherwise than it should."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.job = dict(job)
        error = job.get("error") or {}
        super().__init__(f"{job['kind']} {job['id']} is {job['status']}: {error.get('detail', 'no reason given')}")


class ApiClient:
    """A signed-in session. Every POST carries an Idempotency-Key, so that a retry repeats nothing."""

    def __init__(self, api_url: str) -> None:
        self._http = httpx.Client(base_url=api_url.rstrip("/"), timeout=60)
        self._refresh_token = ""

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def login(self, username: str, password: str) -> None:
        """Sign in; the token goes with every call from now on. Raises ApiError."""
        tokens = self.post("/v1/auth/login", {"username": username, "password": password})
        if "challenge" in tokens:
            raise ApiError(401, {"title": "A new password is needed", "detail": "Set one at /v1/auth/challenge."})
        self._refresh_token = tokens["refresh_token"]
        self._use(tokens["access_token"])

    def renew(self) -> None:
        """Take a new access token: the counties and roles as they are now."""
        self._use(self.post("/v1/auth/refresh", {"refresh_token": self._refresh_token})["access_token"])

    def get(self, path: str, **query: Any) -> Any:
        """GET; the JSON that comes back. Raises ApiError."""
        return self._answer(self._http.get(path, params={k: v for k, v in query.items() if v is not None}))

    def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        """POST JSON; the JSON that comes back. Raises ApiError."""
        return self._answer(self._http.post(path, json=body, headers={"Idempotency-Key": key or str(uuid4())}))

    def put(self, path: str, body: object, *, etag: str) -> Any:
        """PUT JSON over the version that `etag` names. Raises ApiError."""
        return self._answer(self._http.put(path, json=body, headers={"If-Match": etag}))

    def etag(self, path: str) -> str:
        """The ETag of a resource. Raises ApiError."""
        response = self._http.get(path)
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
        response = self._http.get(path)
        if response.status_code != 303:
            self._answer(response)
        # without our token: the signed address is its own permission
        with httpx.stream("GET", response.headers["location"], timeout=300) as download, target.open("wb") as file:
            download.raise_for_status()
            for chunk in download.iter_bytes():
                file.write(chunk)
        return target

    def _use(self, access_token: str) -> None:
        self._http.headers["Authorization"] = f"Bearer {access_token}"

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        try:
            problem = response.json()
        except ValueError:
            problem = {"title": response.reason_phrase, "detail": response.text[:500]}
        raise ApiError(response.status_code, problem)
