"""Serving the platform for as long as a command runs."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from infra.local.session import forget_address, note_address

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud


@contextmanager
def serving(data_dir: Path, port: int, screen: Console) -> Iterator[tuple["LocalCloud", Callable[[], object]]]:
    """The local cloud, started, and a function that waits for SIGINT or SIGTERM.

    Raises typer.Exit(1), with the reason said, where it cannot start. A signal in the middle of a command's work
    ends the work; the cloud is stopped cleanly in every case.
    """
    stopped = threading.Event()
    waiting = threading.Event()

    def on_signal(*_: object) -> None:
        stopped.set()
        if not waiting.is_set():
            raise typer.Exit(0)

    def wait() -> None:
        waiting.set()
        stopped.wait()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, on_signal)
    with screen.status("Starting (the first start takes a little longer)"):
        cloud = _start(data_dir, port, screen)
    try:
        note_address(data_dir, cloud)
        yield cloud, wait
    finally:
        waiting.set()
        forget_address(data_dir)
        cloud.stop()


def _start(data_dir: Path, port: int, screen: Console) -> "LocalCloud":
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
        screen.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        screen.print(f"Port {port} cannot be used ({error.strerror}): choose another --port", style="red")
        raise typer.Exit(1) from error
    return cloud
