"""A job's progress on the screen."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from terrafusion import Client


def wait_with_progress(client: Client, screen: Console, job: Mapping[str, Any]) -> dict[str, Any]:
    """Wait for a job to end, and show its progress. Raises ProblemError, JobFailedError."""
    if not screen.is_terminal:
        return client.wait(job, _print_lines())
    columns = (SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as progress:
        bar = progress.add_task(str(job["kind"]).replace("_", " "), total=None)

        def watch(current: Mapping[str, Any]) -> None:
            done, total, step = (current["progress"][name] for name in ("done", "total", "step"))
            progress.update(bar, description=step or current["status"], total=total, completed=done)

        return client.wait(job, watch)


def _print_lines() -> Callable[[Mapping[str, Any]], None]:
    """A watcher that prints each step and the seconds so far on standard error: for pipes, logs, scheduled commands."""
    started = time.monotonic()
    last = ""

    def watch(current: Mapping[str, Any]) -> None:
        nonlocal last
        progress = current["progress"]
        step = progress["step"] or current["status"]
        if step != last:
            last = step
            count = f"{progress['done']}/{progress['total']} " if progress["total"] else ""
            print(f"{time.monotonic() - started:6.1f} s  {count}{step}", file=sys.stderr)

    return watch
