"""A job's progress on the screen."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.local.client import ApiClient


def watched(client: ApiClient, screen: Console, job: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a job to its end, and show how far it is. Raises ApiError, JobFailedError."""
    columns = (TextColumn("  {task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        bar = progress.add_task(str(job["kind"]).replace("_", " "), total=None)

        def watch(current: Mapping[str, Any]) -> None:
            said = current["progress"]
            description = said["step"] or current["status"]
            progress.update(bar, description=description, total=said["total"], completed=said["done"])

        return client.wait(job, watch)
