"""HTTP by httpcore, synchronous and asynchronous, behind one interface.

`Session` is written once, as coroutines. Those of `SyncTransport` never suspend, so that `completed` runs a coroutine
of the session to its end without an event loop. httpcore, on which httpx stands, takes a third of its time to import,
and is imported when a client is made.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from terrafusion.errors import UnreachableError

if TYPE_CHECKING:
    import httpcore

T = TypeVar("T")

TIMEOUTS = {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": 60.0}
"""Seconds. API Gateway ends a request after 29; a file's next bytes may take longer. A choice."""
CHUNK_BYTES = 1 << 20
USER_AGENT = "terrafusion-client"


@dataclass(frozen=True)
class Request:
    """A request; `url` is absolute."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    @property
    def address(self) -> str:
        """The URL with the query."""
        separator = "&" if "?" in self.url else "?"
        return f"{self.url}{separator}{urlencode(self.query)}" if self.query else self.url


@dataclass(frozen=True)
class Reply:
    """A response, whatever its status; names of headers are in lower case. `content` is empty where a file took it."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class Transport(Protocol):
    """The connections and the clock of a session. Raises UnreachableError for a connection that fails or is lost."""

    async def send(self, request: Request, target: Path | None = None) -> Reply:
        """Send a request; a successful response's content goes to the file `target`, where there is one."""

    async def upload(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        """PUT a file to a signed address, with the headers that are part of its signature."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def close(self) -> None:
        """Close the connections."""


class _Pools(Generic[T]):
    """Connection pools, each made when it is first needed: one for TLS, one without, and those of proxies."""

    def __init__(self, make: Callable[[str | None, Any], T]) -> None:
        self._make = make
        self._pools: dict[tuple[bool, str | None], T] = {}

    def of(self, url: str) -> T:
        """The pool of connections to where a URL leads, through the machine's proxy where it has one for that."""
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if proxy and proxy_bypass(parts.hostname or ""):
            proxy = None
        key = (parts.scheme == "https", proxy)
        if key not in self._pools:
            self._pools[key] = self._make(proxy, _tls() if parts.scheme == "https" else None)
        return self._pools[key]

    def __iter__(self) -> Iterator[T]:
        return iter(self._pools.values())


class SyncTransport:
    """Blocking HTTP."""

    def __init__(self) -> None:
        import httpcore

        def pool(proxy: str | None, tls: Any) -> httpcore.ConnectionPool:
            if proxy is None:
                return httpcore.ConnectionPool(ssl_context=tls)
            return httpcore.HTTPProxy(**_proxy(proxy), ssl_context=tls)

        self._pools = _Pools(pool)

    async def send(self, request: Request, target: Path | None = None) -> Reply:
        with _lost_connections(request.url), self._pools.of(request.url).stream(**_sent(request)) as response:
            if target is None or not 200 <= response.status < 300:
                return _reply(response, response.read())
            with _replaced(target) as file:
                for chunk in response.iter_stream():
                    file.write(chunk)
            return _reply(response)

    async def upload(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        with _lost_connections(url):
            response = self._pools.of(url).request(**_put(url, file, _chunks(file), headers))
            return _reply(response, response.content)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def close(self) -> None:
        for pool in self._pools:
            pool.close()


class AsyncTransport:
    """HTTP on the event loop. Files are read and written in threads."""

    def __init__(self) -> None:
        import httpcore

        def pool(proxy: str | None, tls: Any) -> httpcore.AsyncConnectionPool:
            if proxy is None:
                return httpcore.AsyncConnectionPool(ssl_context=tls)
            return httpcore.AsyncHTTPProxy(**_proxy(proxy), ssl_context=tls)

        self._pools = _Pools(pool)

    async def send(self, request: Request, target: Path | None = None) -> Reply:
        from anyio.to_thread import run_sync

        with _lost_connections(request.url):
            async with self._pools.of(request.url).stream(**_sent(request)) as response:
                if target is None or not 200 <= response.status < 300:
                    return _reply(response, await response.aread())
                with _replaced(target) as file:
                    async for chunk in response.aiter_stream():
                        await run_sync(file.write, chunk)
                return _reply(response)

    async def upload(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        with _lost_connections(url):
            response = await self._pools.of(url).request(**_put(url, file, _read_in_threads(file), headers))
            return _reply(response, response.content)

    async def sleep(self, seconds: float) -> None:
        from anyio import sleep

        await sleep(seconds)

    async def close(self) -> None:
        for pool in self._pools:
            await pool.aclose()


def completed(awaitable: Awaitable[T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        next(awaitable.__await__())
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a synchronous client's coroutine has suspended")


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


async def _read_in_threads(file: Path) -> AsyncIterator[bytes]:
    from anyio.to_thread import run_sync

    with file.open("rb") as stream:
        while chunk := await run_sync(stream.read, CHUNK_BYTES):
            yield chunk


def _sent(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.address,
        "headers": {"User-Agent": USER_AGENT, **request.headers},
        "content": request.content,
        "extensions": {"timeout": TIMEOUTS},
    }


def _put(
    url: str, file: Path, content: Iterable[bytes] | AsyncIterator[bytes], headers: Mapping[str, str]
) -> dict[str, Any]:
    sent = {"User-Agent": USER_AGENT, "Content-Length": str(file.stat().st_size), **headers}
    return {"method": "PUT", "url": url, "headers": sent, "content": content, "extensions": {"timeout": TIMEOUTS}}


def _reply(response: httpcore.Response, content: bytes = b"") -> Reply:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
    return Reply(response.status, headers, content)


def _tls() -> Any:
    """The machine's own certificate authorities, so that an office's proxy is trusted where the machine trusts it."""
    import ssl

    return ssl.create_default_context()


def _proxy(url: str) -> dict[str, Any]:
    """A proxy's address without the user that may stand in it, and that user."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.netloc.rpartition("@")[2]
    user = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return {"proxy_url": f"{parts.scheme}://{host}", "proxy_auth": user}


@contextmanager
def _replaced(target: Path) -> Iterator[Any]:
    """A file beside `target` that takes its place once it is whole."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _lost_connections(url: str) -> Iterator[None]:
    import httpcore

    faults = (
        *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError),
        *(httpcore.ProxyError, httpcore.UnsupportedProtocol),
    )
    try:
        yield
    except faults as error:
        parts = urlsplit(url)
        reason = str(error).rpartition("] ")[2].rstrip(".") or type(error).__name__
        raise UnreachableError(f"{parts.scheme}://{parts.netloc} does not answer: {reason}.") from error
