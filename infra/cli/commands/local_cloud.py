"""Serving the platform for as long as a command runs."""

import gc
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from infra.cli.local_platform import local_platform
from infra.cli.session import forget_address, note_address

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

STOP_SECONDS = 6.0
"""Longest time from a signal to the process's end. What is not stopped by then is killed, which loses nothing: all
that was answered is on disk, and the next start resumes what was under way."""

_log = logging.getLogger(__name__)


@contextmanager
def serving(data_dir: Path, port: int, screen: Console) -> Iterator[tuple["LocalCloud", Callable[[], object]]]:
    """The local cloud, started, and a function that waits for SIGINT or SIGTERM.

    Raises typer.Exit(1), with the reason said, where it cannot start. A signal in the middle of a command's work, or
    of the start, ends it; the cloud is stopped cleanly in every case, and killed where that takes too long.
    """
    ending = _Ending()
    try:
        with screen.status("Starting (the first start takes a little longer)"):
            cloud = _start(data_dir, port, screen)
        try:
            note_address(data_dir, cloud)
            yield cloud, ending.wait
        finally:
            ending.begun()
            forget_address(data_dir)
            cloud.stop()
            gc.freeze()  # the interpreter's end need not look through what is left for cycles
    finally:
        ending.over()


class _Ending:
    """The process's end by SIGINT or SIGTERM: raised as SystemExit(0) where the main thread works.

    Signal handlers only put into queues: `SimpleQueue.put` is safe in the middle of anything.
    """

    def __init__(self) -> None:
        self._signals: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._first: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._raises = True
        self._before = {each: signal.signal(each, self._on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
        threading.Thread(target=self._kill_when_late, name="ending", daemon=True).start()

    def wait(self) -> None:
        """Returns when a signal comes."""
        self._raises = False
        self._signals.get()

    def begun(self) -> None:
        """Further signals change nothing: the cloud is being stopped."""
        self._raises = False

    def over(self) -> None:
        """Everything is stopped: the handlers of before are back."""
        self._first.put(False)
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _on_signal(self, *_: object) -> None:
        self._first.put(True)
        self._signals.put(None)
        if self._raises:
            self._raises = False  # once: cleaning up is not to be interrupted
            raise SystemExit(0)

    def _kill_when_late(self) -> None:
        if self._first.get():
            time.sleep(STOP_SECONDS)
            _log.error("stopping took longer than %s s: killed", STOP_SECONDS)
            os._exit(0)


def _start(data_dir: Path, port: int, screen: Console) -> "LocalCloud":
    # imported here, so that `--help` does not wait for it
    from infra.local.data_directory import DataDirectory
    from infra.local.errors import LocalCloudError

    try:
        logging.basicConfig(
            stream=DataDirectory(data_dir).log("cloud.log"),
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        cloud = local_platform(data_dir, port)
        cloud.start()
    except (LocalCloudError, OSError) as error:  # the latter: a full disk, a folder that became read-only
        _log.exception("the local cloud did not start")
        screen.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    return cloud
