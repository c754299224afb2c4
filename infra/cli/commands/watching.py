"""A job's progress on the screen."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra.cli.api_client import ApiClient


def watched(client: ApiClient, screen: Console, job: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a job to its end, and show how far it is. Raises ApiError, JobFailedError."""
    if not screen.is_terminal:
        return client.wait(job, _told_in_lines())
    columns = (SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as progress:
        bar = progress.add_task(str(job["kind"]).replace("_", " "), total=None)

        def watch(current: Mapping[str, Any]) -> None:
            said = current["progress"]
            description = said["step"] or current["status"]
            progress.update(bar, description=description, total=said["total"], completed=said["done"])

        return client.wait(job, watch)


def _told_in_lines() -> Callable[[Mapping[str, Any]], None]:
    """Each step as a line on standard error, with the seconds so far: for a pipe, a log, a scheduled command."""
    started = time.monotonic()
    last = ""

    def watch(current: Mapping[str, Any]) -> None:
        nonlocal last
        said = current["progress"]
        step = said["step"] or current["status"]
        if step != last:
            last = step
            place = f"{said['done']}/{said['total']} " if said["total"] else ""
            print(f"{time.monotonic() - started:6.1f} s  {place}{step}", file=sys.stderr)

    return watch
