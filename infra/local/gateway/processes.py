"""The API's functions, in processes of their own: a slow request holds up nobody else's."""

import asyncio
import marshal
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from infra.local.child_processes import Service, ends_with_parent
from infra.local.gateway.events import ApiIdentity, Headers, Request
from infra.local.gateway.fork_server import LENGTH, PROCESS_ID, TOO_LARGE
from infra.local.gateway.routing import Match
from infra.local.quotas import INTEGRATION_SECONDS
from infra.local.template import Function

MAX_PROCESSES = 12
"""At most so many requests are in handlers at a time, the others wait: each may hold connections of the database."""
SPARE_PROCESSES = 2
IDLE_SECONDS = 30.0
"""Idle time after which processes beyond the spare ones end."""

_ROOT = Path(__file__).resolve().parents[3]


class FunctionFailedError(Exception):
    """The handler raised, or its process ended."""


class FunctionTimeoutError(FunctionFailedError):
    """The function's own timeout is over; its process was ended, as Lambda does."""


class EventTooLargeError(FunctionFailedError):
    """Lambda takes no event of this size."""


class ThrottledError(FunctionFailedError):
    """The function works on as many events as are reserved for it."""


class Invoker(Protocol):
    """Answers a request to a route by the function `arn`: status, headers, body; or asks an authorizer about it."""

    async def answer(
        self, arn: str, request: Request, match: Match, request_id: str, authorizer: Mapping[str, Any] | None, /
    ) -> tuple[int, Headers, bytes]: ...

    async def authorize(self, arn: str, request: Request, match: Match, request_id: str, method_arn: str, /) -> Any: ...


class ApiProcesses(Service):
    """Runs handlers, one event at a time in a process, in as many processes as there are requests at a time.

    Everything but `start` and `stop` belongs to the event loop that first calls `invoke`.
    """

    def __init__(
        self, api: ApiIdentity, functions: Iterable[Function], environment: Mapping[str, str], log: Path
    ) -> None:
        self._api = api
        self._functions = {function.arn: function for function in functions}
        self._environment = dict(environment)
        self._log = log
        self._control: socket.socket | None = None
        self._forking: subprocess.Popen[bytes] | None = None
        self._ready = False
        # one thread talks to the forking process, and outlives it: the kernel ends a child with the thread that made it
        self._forker = ThreadPoolExecutor(1, thread_name_prefix="api-forker")
        self._idle: list[_Process] = []  # the warmest last
        self._all: set[_Process] = set()
        self._coming = 0
        self._busy: Counter[str] = Counter()
        self._waiting: deque[asyncio.Future[_Process]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to import the handlers, beside whatever else is started."""
        self._forker.submit(self._launch).result()

    def stop(self) -> None:
        """End every process, in the middle of a request if need be."""
        if self._forking is not None:
            self._forking.kill()  # the kernel ends those that it forked with it
            self._forking.wait()
        for process in list(self._all):
            process.kill()
        if self._control is not None:
            self._control.close()
        self._forker.shutdown(cancel_futures=True)

    @property
    def pids(self) -> list[int]:
        """The processes that serve, busy or not."""
        return [process.pid for process in self._all]

    async def answer(
        self, arn: str, request: Request, match: Match, request_id: str, authorizer: Mapping[str, Any] | None
    ) -> tuple[int, Headers, bytes]:
        """The handler's answer: status, headers, body. Raises FunctionFailedError, FunctionTimeoutError."""
        authorized = None if authorizer is None else dict(authorizer)
        message = (arn, tuple(request), match.route.path, match.parameters, request_id, authorized, None)
        status, headers, body = await self._call(arn, message)
        return status, headers, body

    async def authorize(self, arn: str, request: Request, match: Match, request_id: str, method_arn: str) -> Any:
        """An authorizer's answer to a request. Raises FunctionFailedError, FunctionTimeoutError."""
        return await self._call(
            arn, (arn, tuple(request), match.route.path, match.parameters, request_id, None, method_arn)
        )

    async def _call(self, arn: str, message: tuple[Any, ...]) -> Any:
        function = self._functions[arn]
        if function.reserved_concurrency is not None and self._busy[arn] >= function.reserved_concurrency:
            raise ThrottledError(f"{function.name}: Rate Exceeded")
        self._busy[arn] += 1
        try:
            process = self._take(arn) or await self._next()
            try:
                return await process.call(arn, message, min(function.timeout, INTEGRATION_SECONDS))
            finally:
                self._release(process)
        finally:
            self._busy[arn] -= 1

    def _take(self, arn: str) -> "_Process | None":
        """An idle process, if there is one: rather one that has run this function."""
        for index in range(len(self._idle) - 1, -1, -1):
            if arn in self._idle[index].has_run:
                return self._idle.pop(index)
        return self._idle.pop() if self._idle else None

    async def _next(self) -> "_Process":
        """The next process that is free: a new one, or one whose request ends sooner."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._grow()
        try:
            process: _Process = await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._release(waiting.result())  # it came at the moment in which nobody wanted it any more
            raise
        return process

    def _grow(self) -> None:
        """Fork for who waits, up to the limit."""
        while self._coming < len(self._waiting) and len(self._all) + self._coming < MAX_PROCESSES:
            self._coming += 1
            task = asyncio.get_running_loop().create_task(self._fork())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fork(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            ours, pid = await loop.run_in_executor(self._forker, self._forked)
            _, process = await loop.create_connection(lambda: _Process(pid, self._forget), sock=ours)
        except (OSError, RuntimeError) as error:
            self._coming -= 1
            while self._waiting:
                waiting = self._waiting.popleft()
                if not waiting.done():
                    waiting.set_exception(FunctionFailedError(f"no process can be made: {error}"))
                    return
            return
        self._coming -= 1
        self._all.add(process)
        self._release(process)

    def _release(self, process: "_Process") -> None:
        """Give a process to who waits longest, or keep it."""
        if not process.alive:
            process.kill()
            self._forget(process)
            return
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(process)
                return
        process.idle_since = time.monotonic()
        self._idle.append(process)
        if len(self._all) > SPARE_PROCESSES:
            asyncio.get_running_loop().call_later(IDLE_SECONDS + 1, self._shrink)

    def _forget(self, process: "_Process") -> None:
        """A process has ended, busy or idle."""
        self._all.discard(process)
        if process in self._idle:
            self._idle.remove(process)
        self._grow()

    def _shrink(self) -> None:
        """End what has been idle for long, the coldest first."""
        while (
            self._idle
            and len(self._all) > SPARE_PROCESSES
            and time.monotonic() - self._idle[0].idle_since > IDLE_SECONDS
        ):
            process = self._idle.pop(0)
            self._all.discard(process)
            process.close()

    # --- in the forker's thread

    def _launch(self) -> None:
        self._ready = False
        self._control, theirs = socket.socketpair()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, self._log.open("ab") as output:
            self._forking = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "infra.local.gateway.fork_server", str(theirs.fileno())],
                cwd=_ROOT,
                env=os.environ | self._environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=ends_with_parent(signal.SIGKILL),
                process_group=0,  # out of the terminal's reach, and in the same session: see go_to_the_background
            )
        functions = {
            arn: {**function.__dict__, "environment": dict(function.environment)}
            for arn, function in self._functions.items()
        }
        described = marshal.dumps((tuple(self._api), functions))
        self._control.sendall(LENGTH.pack(len(described)) + described)

    def _forked(self) -> tuple[socket.socket, int]:
        """A new process and our end of its socket. Raises OSError, RuntimeError."""
        if self._forking is None or self._forking.poll() is not None or self._control is None:
            self._launch()
        assert self._control is not None  # noqa: S101
        if not self._ready:
            if not self._control.recv(1):
                raise RuntimeError("the functions cannot be imported")
            self._ready = True
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"\0"], [theirs.fileno()])
            answer = self._control.recv(PROCESS_ID.size, socket.MSG_WAITALL)
        if len(answer) < PROCESS_ID.size:
            ours.close()
            raise RuntimeError("the process that forks has ended")
        ours.setblocking(False)
        return ours, int(PROCESS_ID.unpack(answer)[0])


class _Process(asyncio.Protocol):
    """One process, and our end of its socket."""

    def __init__(self, pid: int, lost: Callable[["_Process"], None]) -> None:
        self.pid = pid
        self._lost = lost
        self.alive = True
        self.idle_since = 0.0
        self.has_run: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[bytes | bytearray] | None = None

    async def call(self, arn: str, message: tuple[Any, ...], timeout: float) -> Any:
        body = marshal.dumps(message)
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        late = loop.call_later(timeout, self._time_out)
        try:
            if self._transport is None or not self.alive:
                raise FunctionFailedError("the process has ended")
            self._transport.write(LENGTH.pack(len(body)) + body)
            content = memoryview(await self._answer)[LENGTH.size :]
            reply: Any = marshal.loads(content)  # noqa: S302 - our own process's
        except asyncio.CancelledError:
            self.kill()  # it is in the middle of something that nobody waits for
            raise
        finally:
            late.cancel()
            self._answer = None
        self.has_run.add(arn)
        if reply == TOO_LARGE:
            raise EventTooLargeError(arn)
        if isinstance(reply, str):
            raise FunctionFailedError(reply)
        return reply

    def kill(self) -> None:
        """End the process at once."""
        self.alive = False
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let an idle process end."""
        self.alive = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes | bytearray) -> None:
        if self._received:
            self._received += data
            data = self._received
        if len(data) < LENGTH.size or len(data) < LENGTH.size + LENGTH.unpack_from(data)[0]:
            self._received = bytearray(data)
            return
        self._received = bytearray()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self.alive = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(FunctionFailedError("the process ended without an answer"))
        self._lost(self)

    def _time_out(self) -> None:
        self.kill()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(FunctionTimeoutError("the function's timeout is over"))
