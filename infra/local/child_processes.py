"""Child processes that end when their parent does, even when the parent is killed."""

import ctypes
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1

_BACKGROUND_NICENESS = 5
"""A third of the share of a process in the foreground (sched(7)): jobs go on beside any traffic."""

_WATCHDOG = "import os, sys; sys.stdin.buffer.read(); os.kill(int(sys.argv[1]), int(sys.argv[2]))"


class Service(ABC):
    """Something that is started and stopped; as a context manager it runs for as long as the block does."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def ends_with_parent(sent: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` after which the kernel sends `sent` to the child when its parent dies; None off Linux.

    The kernel watches the *thread* that started the child, so start it from one that lives as long as the
    child should: the main thread, or one kept for this.
    """
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    parent = os.getpid()
    return lambda: _ask_kernel(library, sent, parent)


def end_with_parent(sent: signal.Signals, parent: int) -> None:
    """As `ends_with_parent`, for a process that is forked without another program: called in it."""
    if sys.platform == "linux":
        _ask_kernel(ctypes.CDLL(None), sent, parent)


def go_to_the_background() -> None:
    """Leave the processor to the platform's other processes while they want it, in this process and its children.

    Linux shares the processor between sessions first (autogroup), so it holds within the platform's session alone, and
    leaves what else runs on the machine as it is.
    """
    if sys.platform != "win32":
        os.nice(_BACKGROUND_NICENESS)


def _ask_kernel(library: ctypes.CDLL, sent: signal.Signals, parent: int) -> None:
    library.prctl(_PR_SET_PDEATHSIG, sent)
    if os.getppid() != parent:  # the parent died before the call above could see it
        os.kill(os.getpid(), signal.SIGKILL)


class Watchdog:
    """A small process that signals a child once our end of a pipe closes, where the kernel cannot."""

    def __init__(self, pid: int, sent: signal.Signals) -> None:
        command = [sys.executable, "-S", "-c", _WATCHDOG, str(pid), str(int(sent))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603

    def dismiss(self) -> None:
        """Ends the watchdog without a signal: the child has ended by itself, its pid may be another's."""
        self._process.kill()
        self._process.communicate()
