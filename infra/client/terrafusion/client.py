"""The clients: where and as whom, operations by their names, and any route by its path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from terrafusion.async_api import AsyncCountyOperations, AsyncPlatformOperations
from terrafusion.operations import AsyncSubmission, Submission
from terrafusion.session import Credentials, Session
from terrafusion.sync_api import CountyOperations, PlatformOperations
from terrafusion.transport import AsyncTransport, SyncTransport, completed

if TYPE_CHECKING:
    from typing import Self

    from terrafusion.resource import Resource

Job = Mapping[str, Any]
"""A job as the API answers it."""


class Client(PlatformOperations):
    """The API, for one caller. Signs in when it first asks for something; its tokens renew themselves.

    The caller is a user by `username` and `password` (`new_password`, where the first sign-in asks for one), or a
    program by its `key`. Errors are exceptions, all of them `TerraFusionError`.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        new_password: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(Session(url, SyncTransport(), Credentials(key, username, password, new_password)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        completed(self._session.close())

    def sign_in(self) -> None:
        """Sign in now. Raises ProblemError, NewPasswordRequiredError, UnreachableError."""
        completed(self._session.sign_in())

    def renew(self) -> None:
        """Take a new access token: the counties and roles as they are now."""
        completed(self._session.renew())

    def sign_out(self) -> None:
        """End the user's session."""
        completed(self._session.sign_out())

    def county(self, county_id: str) -> CountyOperations:
        """The operations on one county."""
        return CountyOperations(self._session, county_id)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        if_match: Resource | str | None = None,
    ) -> Any:
        """Any route: the JSON that comes back. A POST without a key gets one."""
        options = {"query": query, "body": body, "idempotency_key": idempotency_key, "if_match": if_match}
        return completed(self._session.json(method, path, **options))[0]

    def get(self, path: str, **query: object) -> Any:
        """GET; the JSON that comes back."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object, *, idempotency_key: str | None = None) -> Any:
        """POST; the JSON that comes back."""
        return self.request("POST", path, body=body, idempotency_key=idempotency_key)

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """The items of all pages of a list, as JSON."""
        items = self._session.pages(path, query)
        while True:
            try:
                yield completed(items.__anext__())
            except StopAsyncIteration:
                return

    def wait(
        self, job: Job, progress: Callable[[dict[str, Any]], None] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Follow a job until it ends or waits for a decision. Raises JobFailedError, WaitTimeoutError."""
        return completed(self._session.wait(job["links"]["self"], progress, timeout))

    def follow(self, job: Resource) -> Submission[Any, Any]:
        """A job that was started elsewhere, to be waited for or ended."""
        return Submission(self._session, job, Any)

    def download(self, path: str, target: Path | str, **query: object) -> Path:
        """Keep what a path answers, or redirects to, as a file."""
        return completed(self._session.download(path, Path(target), query))

    def upload(self, url: str, file: Path | str, headers: Mapping[str, str] | None = None) -> None:
        """Send a file to a signed address that the API gave out, with the headers that it named."""
        completed(self._session.upload(url, Path(file), headers or {}))


class AsyncClient(AsyncPlatformOperations):
    """The API, for one caller, on the event loop of asyncio. Its operations are those of `Client`, awaited."""

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        new_password: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(Session(url, AsyncTransport(), Credentials(key, username, password, new_password)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def sign_in(self) -> None:
        """Sign in now. Raises ProblemError, NewPasswordRequiredError, UnreachableError."""
        await self._session.sign_in()

    async def renew(self) -> None:
        """Take a new access token: the counties and roles as they are now."""
        await self._session.renew()

    async def sign_out(self) -> None:
        """End the user's session."""
        await self._session.sign_out()

    def county(self, county_id: str) -> AsyncCountyOperations:
        """The operations on one county."""
        return AsyncCountyOperations(self._session, county_id)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        if_match: Resource | str | None = None,
    ) -> Any:
        """Any route: the JSON that comes back. A POST without a key gets one."""
        options = {"query": query, "body": body, "idempotency_key": idempotency_key, "if_match": if_match}
        return (await self._session.json(method, path, **options))[0]

    async def get(self, path: str, **query: object) -> Any:
        """GET; the JSON that comes back."""
        return await self.request("GET", path, query=query)

    async def post(self, path: str, body: object, *, idempotency_key: str | None = None) -> Any:
        """POST; the JSON that comes back."""
        return await self.request("POST", path, body=body, idempotency_key=idempotency_key)

    def pages(self, path: str, **query: object) -> AsyncIterator[Any]:
        """The items of all pages of a list, as JSON."""
        return self._session.pages(path, query)

    async def wait(
        self, job: Job, progress: Callable[[dict[str, Any]], None] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Follow a job until it ends or waits for a decision. Raises JobFailedError, WaitTimeoutError."""
        return await self._session.wait(job["links"]["self"], progress, timeout)

    def follow(self, job: Resource) -> AsyncSubmission[Any, Any]:
        """A job that was started elsewhere, to be waited for or ended."""
        return AsyncSubmission(self._session, job, Any)

    async def download(self, path: str, target: Path | str, **query: object) -> Path:
        """Keep what a path answers, or redirects to, as a file."""
        return await self._session.download(path, Path(target), query)

    async def upload(self, url: str, file: Path | str, headers: Mapping[str, str] | None = None) -> None:
        """Send a file to a signed address that the API gave out, with the headers that it named."""
        await self._session.upload(url, Path(file), headers or {})
