"""`terrafusion up`: serve the platform on this machine."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from infra.cli.commands.local_cloud import serving
from infra.cli.session import DataDir, console
from infra.cli.tables import WholeTable

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud


def up(data_dir: Path = DataDir, port: int = typer.Option(8080, help="The port of the API on this machine.")) -> None:
    """Serve the platform on this machine until Ctrl-C."""
    screen = console()
    started = time.monotonic()
    with serving(data_dir, port, screen) as (cloud, wait):
        screen.print(f"Started in {time.monotonic() - started:.1f} s.")
        introduce(cloud, screen)
        wait()
        screen.print("Stopping")


def introduce(cloud: "LocalCloud", screen: Console) -> None:
    """Say where the platform is and who can sign in."""
    screen.print(f"TerraFusion runs at [bold]{cloud.url}[/bold]")
    screen.print(f"  Try the API   {cloud.url}/v1/docs")
    screen.print(f"  Local AWS     {cloud.aws_endpoint} (any credentials)")
    screen.print(f"  Data and logs {cloud.data_dir}")
    table = WholeTable("user", "password", "role", title="Who can sign in", title_justify="left")
    for user in cloud.credentials:
        table.add_row(user.username, user.password, user.role)
    screen.print(table)
    screen.print("Ctrl-C stops it; everything is kept.")
