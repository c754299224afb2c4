"""`terrafusion sync`: run a county's sync, and watch it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.client import ApiClient
from infra.local.session import ApiUrl, DataDir, Username, console, signed_in


def sync(
    county_id: str = typer.Argument(help="The county."),
    mode: str | None = typer.Option(None, help="full, incremental or snapshot; by default what the county says."),
    validate_only: bool = typer.Option(False, help="Stop before anything is applied."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Sync COUNTY_ID from its legacy system, and watch."""
    screen = console()
    with signed_in(api_url, username, data_dir) as client:
        run = run_sync(client, screen, county_id, mode=mode, validate_only=validate_only)
    screen.print(run_table(run))


def run_sync(
    client: ApiClient, screen: Console, county_id: str, *, mode: str | None = None, validate_only: bool = False
) -> dict[str, Any]:
    """Submit a run and follow it to its end. Raises ApiError, JobFailedError."""
    wanted: dict[str, Any] = {"validate_only": validate_only} | ({"mode": mode} if mode else {})
    submitted = client.post(f"/v1/counties/{county_id}/sync-runs", wanted)
    columns = (TextColumn("  {task.description:<24}"), BarColumn(), TextColumn("{task.fields[counts]}"))
    with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as progress:
        bar = progress.add_task(county_id, total=None, counts="")

        def watch(run: Mapping[str, Any]) -> None:
            partitions = run["partitions"]
            rows = sum(table["read"] for table in run["tables"].values())
            progress.update(
                bar,
                description=f"{county_id}: {run['progress']['step'] or run['status']}",
                total=partitions["total"] or None,
                completed=partitions["done"],
                counts=f"{partitions['done']}/{partitions['total']} partitions, {rows:,} rows",
            )

        return client.wait(submitted, watch)


def run_table(run: Mapping[str, Any]) -> Table:
    """What a run did, table by table."""
    table = Table(
        "table", "read", "added", "changed", "removed", "quarantined", title=f"{run['status']}: sync {run['id']}"
    )
    for name, counts in run["tables"].items():
        numbers = (counts[key] for key in ("read", "added", "changed", "removed", "rejected"))
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table
