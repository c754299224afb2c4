"""The end of processes that are not our children."""

import time
from collections.abc import Iterable

import psutil


def wait_until_ended(processes: Iterable[psutil.Process], seconds: float = 10) -> list[psutil.Process]:
    """Those that still run after `seconds`. One that has ended and only waits to be reaped does not run."""
    running = list(processes)
    deadline = time.monotonic() + seconds
    while running and time.monotonic() < deadline:
        running = [process for process in running if not _ended(process)]
        time.sleep(0.02)
    return running


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
