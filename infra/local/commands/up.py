"""`terrafusion up`: serve the platform on this machine."""

import logging
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

DEFAULT_DATA_DIR = Path(".terrafusion")

DataDir = Annotated[Path, typer.Option(help="Where everything is kept.")]
Port = Annotated[int, typer.Option(help="The port of the API on this machine.")]


def up(data_dir: DataDir = DEFAULT_DATA_DIR, port: Port = 8080) -> None:
    """Serve the platform on this machine until Ctrl-C."""
    serve(data_dir, port)


def serve(data_dir: Path, port: int) -> None:
    """Starts the local cloud, says how to use it, and serves until SIGINT or SIGTERM. Raises typer.Exit(1)."""
    console = Console(highlight=False)
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    started = time.monotonic()
    with console.status("Starting (the first start takes a little longer)"):
        cloud = _start(data_dir, port, console)
    try:
        if not stopped.is_set():
            _introduce(cloud, console, time.monotonic() - started)
        stopped.wait()
        console.print("Stopping")
    finally:
        cloud.stop()


def _start(data_dir: Path, port: int, console: Console) -> "LocalCloud":
    # imported here, so that `--help` does not wait for it
    from infra.local.cloud import LocalCloud
    from infra.local.custom_resources import DeploymentError
    from infra.local.directory import DirectoryInUseError
    from infra.local.postgres import PostgresDidNotStartError
    from infra.local.synthesis import SynthesisError

    (data_dir / "logs").mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=data_dir / "logs" / "cloud.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    cloud = LocalCloud(data_dir, port)
    try:
        cloud.start()
    except (DirectoryInUseError, PostgresDidNotStartError, SynthesisError, DeploymentError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        console.print(f"Port {port} cannot be used ({error.strerror}): choose another --port", style="red")
        raise typer.Exit(1) from error
    return cloud


def _introduce(cloud: "LocalCloud", console: Console, seconds: float) -> None:
    console.print(f"TerraFusion runs at [bold]{cloud.url}[/bold] (started in {seconds:.1f} s)")
    console.print(f"  Try the API   {cloud.url}/v1/docs")
    console.print(f"  Data and logs {cloud.data_dir}")
    table = Table("user", "password", "role", title="Who can sign in", title_justify="left")
    for user in cloud.users:
        table.add_row(user.username, user.password, user.role)
    console.print(table)
    console.print("Ctrl-C stops it; everything is kept.")
