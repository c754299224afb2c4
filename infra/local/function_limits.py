"""Memory and scratch space of the function that a worker runs, held as Lambda holds them."""

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.local.template import Function

_INTERVAL_S = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1 << 20
KILLED = 137
"""Exit status of a process that was killed (128 + SIGKILL), as Lambda ends one that has used up its memory."""


class FunctionLimits:
    """Watches what an event uses, from a thread of its own.

    Memory is what the process and its children have grown by since the event came: a worker holds the imports of every
    function that it has run. Where there is no /proc, memory is not held.
    """

    def __init__(self, scratch: Path) -> None:
        """`scratch` is the folder that stands for /tmp."""
        self._scratch = scratch
        self._function: Function | None = None
        self._memory_before = self._scratch_reported = 0
        signal.signal(signal.SIGUSR1, self._raise_no_space_left)
        threading.Thread(target=self._watch, name="limits", daemon=True).start()

    @contextmanager
    def of(self, function: Function) -> Iterator[None]:
        """Hold the limits of a function while it works on an event."""
        self._memory_before, self._scratch_reported = memory_bytes(), 0
        self._function = function
        try:
            yield
        finally:
            self._function = None

    def _watch(self) -> None:
        while True:
            time.sleep(_INTERVAL_S)
            function = self._function
            if function is None:
                continue
            if memory_bytes() - self._memory_before > function.memory_mb * _MB:
                print(f"{function.name} has used more than its {function.memory_mb} MB of memory", file=sys.stderr)
                os._exit(KILLED)
            used = scratch_bytes(self._scratch)
            # once for each growth: who clears up after the error is not to be interrupted by another
            if used > max(function.scratch_mb * _MB, self._scratch_reported):
                self._scratch_reported = used
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def _raise_no_space_left(self, _signal: int, _frame: object) -> None:
        """The error of a write to a full disk, raised in the function, where it still runs."""
        if self._function is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp")  # noqa: S108 - as the function would read it


def memory_bytes() -> int:
    """Resident memory of this process and its children; 0 where there is no /proc."""
    return sum(_resident_bytes(pid) for pid in ("self", *_children()))


def _children() -> list[str]:
    try:
        tasks = list(Path("/proc/self/task").iterdir())
        return [pid for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def _resident_bytes(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def scratch_bytes(folder: Path) -> int:
    """Room that files in a folder and below take up, those that are open and have no name any more with them."""
    files = {(status.st_dev, status.st_ino): status.st_blocks * 512 for status in (*_named(folder), *_nameless(folder))}
    return sum(files.values())


def _named(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield (Path(parent) / name).lstat()


def _nameless(folder: Path) -> Iterator[os.stat_result]:
    """As `tempfile.TemporaryFile` makes them."""
    with suppress(OSError):
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if descriptor.readlink().is_relative_to(folder):
                    yield descriptor.stat()
