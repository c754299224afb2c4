"""The pool of worker processes that run what state machines and schedules call."""

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra.local.child_processes import Service, ends_with_parent
from infra.local.message_frames import read_frame, write_frame
from infra.local.template import Function

_ROOT = Path(__file__).resolve().parents[2]

_IMPORT_SECONDS = 10.0
"""Lambda's time for the init phase, beside the function's own timeout."""


class InvocationError(Exception):
    """The function failed. `document` has errorType, errorMessage and stackTrace, as Lambda answers them."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(f"{document['errorType']}: {document['errorMessage']}")
        self.document = document


class WorkerPool(Service):
    """Runs functions in `size` processes; a call waits for a free one.

    A worker that overruns its function's timeout, or that dies, fails the call the way Lambda says it
    (`Sandbox.Timedout`, `Runtime.ExitError`), and another takes its place.
    """

    def __init__(
        self, functions: Iterable[Function], environment: Mapping[str, str], log: Path, scratch: Path, size: int = 2
    ) -> None:
        """`scratch` is a folder for what stands for /tmp, one for each process; it is emptied at the start."""
        self._functions = {function.arn: function for function in functions}
        self._environment = dict(environment)
        self._log = log
        self._scratch = scratch
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()  # the warmest first
        self._workers: set[_Worker] = set()
        self._lock = threading.Lock()
        self._size = size
        self._busy: Counter[str] = Counter()
        self._closed = False
        # one thread starts all workers and outlives them: the kernel ends a child with the thread that made it
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="worker-spawner")

    def start(self) -> None:
        """Starts the processes; they import nothing yet."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        for _ in range(self._size):
            self._free.put(self._spawn())

    def prepare(self, arns: Iterable[str]) -> None:
        """Has each free worker import these functions' code, as Lambda does for provisioned concurrency."""
        functions = [self._functions[arn] for arn in arns]
        for worker in [self._free.get_nowait() for _ in range(self._free.qsize())]:
            try:
                for function in functions:
                    worker.prepare(function)
            except InvocationError:
                pass  # the first event will say what is wrong
            finally:
                self._free.put(worker if worker.alive else self._replace(worker))

    def stop(self) -> None:
        """Ends every worker, in the middle of a call if need be."""
        with self._lock:
            self._closed = True
            workers = list(self._workers)
        for worker in workers:
            worker.kill()
        while not self._free.empty():
            self._free.get().close()
        self._spawner.shutdown()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    def knows(self, arn: str) -> bool:
        """True for the ARN of a function of the pool."""
        return arn in self._functions

    def invoke(self, arn: str, event: Any) -> Any:
        """The function's answer. Raises InvocationError, and KeyError for a function that does not exist."""
        function = self._functions[arn]
        with self._working(function):
            return self._invoke(function, event)

    @contextmanager
    def _working(self, function: Function) -> Iterator[None]:
        """Count the events that a function works on. Raises InvocationError where no more are reserved for it."""
        with self._lock:
            limit = function.reserved_concurrency
            if limit is not None and self._busy[function.arn] >= limit:
                raise _failure("Lambda.TooManyRequestsException", f"{function.name}: Rate Exceeded")
            self._busy[function.arn] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[function.arn] -= 1

    def _invoke(self, function: Function, event: Any) -> Any:
        worker = self._free.get()
        healthy = False
        try:
            answer = worker.call(function, event)
            healthy = True
            return answer
        except InvocationError as error:
            healthy = worker.alive
            raise error
        finally:
            self._free.put(worker if healthy else self._replace(worker))

    def _replace(self, worker: "_Worker") -> "_Worker":
        worker.kill()
        worker.close()
        with self._lock:
            self._workers.discard(worker)
            closed = self._closed
        return worker if closed else self._spawn()

    def _spawn(self) -> "_Worker":
        worker = self._spawner.submit(_Worker, self._environment, self._log, self._scratch).result()
        with self._lock:
            self._workers.add(worker)
        return worker


class _Worker:
    """One process and our end of its socket."""

    def __init__(self, environment: Mapping[str, str], log: Path, scratch: Path) -> None:
        self._connection, theirs = socket.socketpair()
        self._scratch = scratch / uuid4().hex
        self._scratch.mkdir(parents=True, mode=0o700)
        log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "infra.local.worker", str(theirs.fileno())],
                cwd=_ROOT,
                env=os.environ | environment | {"TMPDIR": str(self._scratch)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=ends_with_parent(signal.SIGKILL),
                process_group=0,  # out of the terminal's reach, and in the same session: see go_to_the_background
            )
        self._loaded: set[str] = set()
        self.alive = True

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, function: Function, event: Any) -> Any:
        request_id = str(uuid4())
        message = {"function": asdict(function), "event": event, "request_id": request_id}
        return self._exchange(function, message, request_id)

    def prepare(self, function: Function) -> None:
        """Import the function's code."""
        self._exchange(function, {"function": asdict(function)}, str(uuid4()))

    def _exchange(self, function: Function, message: dict[str, Any], request_id: str) -> Any:
        patience = function.timeout + (0 if function.handler in self._loaded else _IMPORT_SECONDS)
        self._connection.settimeout(patience)
        try:
            write_frame(self._connection, message)
            reply = read_frame(self._connection)
        except TimeoutError:
            self.alive = False
            reason = f"Task timed out after {function.timeout:.2f} seconds"
            raise _failure("Sandbox.Timedout", f"{request_id} {reason}") from None
        except OSError:  # it died between two calls, or the pool was stopped
            reply = None
        if reply is None:
            self.alive = False
            reason = "Runtime exited without providing a reason"
            raise _failure("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")
        self._loaded.add(function.handler)
        if "error" in reply:
            raise InvocationError(reply["error"])
        return reply["answer"]

    def kill(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Apart from `kill`: a thread may wait on the socket, and learns from its end."""
        self._connection.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _failure(kind: str, message: str) -> InvocationError:
    return InvocationError({"errorType": kind, "errorMessage": message, "stackTrace": []})


Invoke = Callable[[str, Any], Any]
"""Calls a function by its ARN. Raises InvocationError."""
