"""Calls of operations, blocking and awaited: what the generated methods of `sync_api` and `async_api` are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from terrafusion.resource import Resource, read
from terrafusion.session import TABLE_TYPES, Session
from terrafusion.transport import completed

T = TypeVar("T")
J = TypeVar("J", bound=Resource)
R = TypeVar("R")

Query = Mapping[str, object]


def path(template: str, *values: str) -> str:
    """A path with its parameters, each percent-encoded."""
    return template.format(*(quote(str(value), safe="") for value in values))


class _List(Generic[T]):
    """A list of the API, whose pages are fetched as they are asked for; each iteration begins anew."""

    def __init__(self, session: Session, item: Any, address: str, query: Query) -> None:
        self._session = session
        self._item = item
        self._address = address
        self._query = query

    async def _items(self) -> AsyncIterator[T]:
        async for item in self._session.pages(self._address, self._query):
            yield read(self._item, item)

    async def _save(self, target: Path | str) -> Path:
        file = Path(target)
        if file.suffix not in TABLE_TYPES:
            raise ValueError(f"{file.name}: a list is saved as {', '.join(TABLE_TYPES)}")
        return await self._session.download(self._address, file, self._query, TABLE_TYPES[file.suffix])


class Items(_List[T]):
    """A list: `for item in items`."""

    def __iter__(self) -> Iterator[T]:
        items = self._items()
        while True:
            try:
                yield completed(items.__anext__())
            except StopAsyncIteration:
                return

    def save(self, target: Path | str) -> Path:
        """The whole list as a table: CSV, XLSX or Parquet by the file's ending."""
        return completed(self._save(target))


class AsyncItems(_List[T]):
    """A list: `async for item in items`."""

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items()

    async def save(self, target: Path | str) -> Path:
        """The whole list as a table: CSV, XLSX or Parquet by the file's ending."""
        return await self._save(target)


class _Submission(Generic[J, R]):
    """A job that was started; `job` is its last known state."""

    def __init__(self, session: Session, job: J, results: Any) -> None:
        self._session = session
        self._results = results
        self.job = job

    @property
    def job_id(self) -> str:
        """The job's id."""
        return str(self.job["id"])

    @property
    def status(self) -> str:
        """The last known status."""
        return str(self.job["status"])

    @property
    def _link(self) -> str:
        return str(self.job["links"]["self"])

    def _read(self, job: Mapping[str, Any]) -> J:
        self.job = type(self.job)(job)
        return self.job

    async def _wait(self, timeout: float | None, progress: Callable[[J], None] | None) -> J:
        return self._read(await self._session.wait(self._link, progress, timeout, self._read))

    async def _refresh(self) -> J:
        return self._read((await self._session.json("GET", self._link))[0])

    async def _act(self, action: str) -> J:
        return self._read((await self._session.json("POST", f"{self._link}/{action}"))[0])

    async def _get_results(self) -> R:
        value: R = read(self._results, (await self._session.json("GET", self.job["links"]["results"]))[0])
        return value

    async def _download(self, target: Path | str, query: Query) -> Path:
        address = self.job["links"].get("download", f"{self._link}/download")
        return await self._session.download(address, Path(target), query)


class Submission(_Submission[J, R]):
    """A job that was started."""

    def wait(self, timeout: float | None = None, progress: Callable[[J], None] | None = None) -> J:
        """The job when it has ended, or waits for a decision. `progress` is called with each state that was seen.

        Raises JobFailedError; WaitTimeoutError after `timeout` seconds, the job goes on.
        """
        return completed(self._wait(timeout, progress))

    def refresh(self) -> J:
        """The job as it is now."""
        return completed(self._refresh())

    def cancel(self) -> J:
        """End the job."""
        return completed(self._act("cancel"))

    def resume(self) -> J:
        """Continue a job that failed."""
        return completed(self._act("resume"))

    def results(self) -> R:
        """The results of a job that has succeeded."""
        return completed(self._get_results())

    def download(self, target: Path | str, **query: object) -> Path:
        """Keep the job's file as `target`."""
        return completed(self._download(target, query))


class AsyncSubmission(_Submission[J, R]):
    """A job that was started."""

    async def wait(self, timeout: float | None = None, progress: Callable[[J], None] | None = None) -> J:
        """The job when it has ended, or waits for a decision. `progress` is called with each state that was seen.

        Raises JobFailedError; WaitTimeoutError after `timeout` seconds, the job goes on.
        """
        return await self._wait(timeout, progress)

    async def refresh(self) -> J:
        """The job as it is now."""
        return await self._refresh()

    async def cancel(self) -> J:
        """End the job."""
        return await self._act("cancel")

    async def resume(self) -> J:
        """Continue a job that failed."""
        return await self._act("resume")

    async def results(self) -> R:
        """The results of a job that has succeeded."""
        return await self._get_results()

    async def download(self, target: Path | str, **query: object) -> Path:
        """Keep the job's file as `target`."""
        return await self._download(target, query)


class Calls:
    """Calls of a session, as coroutines."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def resource(self, kind: Any, method: str, address: str, **options: Any) -> Any:
        """An answer in the type `kind`, with its ETag where it is an object."""
        value, reply = await self._session.json(method, address, **options)
        answer = read(kind, value)
        return type(answer)(value, reply.headers.get("etag")) if isinstance(answer, Resource) else answer

    async def file(self, address: str, target: Path | str, query: Query) -> Path:
        """An answer kept as a file."""
        return await self._session.download(address, Path(target), query)
