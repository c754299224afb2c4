"""Sign-in of the command line: to a deployed API, or to the local cloud that runs on a data directory."""

import json
import os
from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from terrafusion import Client

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

ADDRESS_FILE = "address.json"
"""Address and passwords of a running local cloud, in its data directory; readable by its owner only."""

PASSWORD_VARIABLE = "TERRAFUSION_PASSWORD"  # noqa: S105 - the variable's name

ApiUrl = typer.Option(None, "--api-url", help="A deployed API; without it the local cloud on --data-dir.")
Username = typer.Option("itadmin", "--username", help=f"Who signs in; the password is taken from {PASSWORD_VARIABLE}.")
DataDir = typer.Option(Path(".terrafusion"), "--data-dir", help="Where the local cloud keeps its data.")


FILE_COLUMNS = 1000
"""Width of the output where it is no terminal: tables are as wide as they are, and sentences are one line."""


def console() -> Console:
    """The console that commands print on: as wide as the terminal, or wide enough for whatever stands in a file."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=FILE_COLUMNS)


def note_address(data_dir: Path, cloud: "LocalCloud") -> None:
    """Leave word of a running local cloud for the other commands."""
    words = {
        "address": cloud.url,
        "aws_endpoint": cloud.aws_endpoint,
        "data_bucket": cloud.environment["DATA_BUCKET"],
        "passwords": {user.username: user.password for user in cloud.credentials},
    }
    unfinished = data_dir / f"{ADDRESS_FILE}.unfinished"
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(words))
    unfinished.replace(data_dir / ADDRESS_FILE)


def forget_address(data_dir: Path) -> None:
    """Take the word back."""
    (data_dir / ADDRESS_FILE).unlink(missing_ok=True)


def running_cloud(data_dir: Path) -> dict[str, Any]:
    """Address and accounts of the local cloud that runs on a data directory. Ends the command where none runs."""
    try:
        words: dict[str, Any] = json.loads((data_dir / ADDRESS_FILE).read_text())
    except FileNotFoundError:
        raise typer.BadParameter(
            f"no local cloud runs on {data_dir}: start one with `terrafusion up`, or say --api-url"
        ) from None
    return words


def local_client(service: Any, data_dir: Path) -> Any:
    """A boto3 client of the local cloud that runs on a data directory."""
    import boto3

    from infra.local.aws.clients import ACCESS_KEY, SECRET_KEY
    from infra.local.cloud_assembly import REGION

    return boto3.client(
        service,
        endpoint_url=running_cloud(data_dir)["aws_endpoint"],
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


SignIn = Callable[[], Client]
"""Gives a client that is signed in. Ends the command with a plain sentence where it cannot be."""


def takes_sign_in(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where and as whom it signs in; it gets them as its first argument."""

    @wraps(command)
    def run(*, api_url: str | None, username: str, data_dir: Path, **arguments: Any) -> None:
        command(partial(signed_in, api_url, username, data_dir), **arguments)

    _, *own = signature(command).parameters.values()
    taken = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for parameter in (*own, *signature(signed_in).parameters.values())
    ]
    run.__signature__ = Signature(taken, return_annotation=None)  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in taken}
    return run


def signed_in(api_url: str | None = ApiUrl, username: str = Username, data_dir: Path = DataDir) -> Client:
    password = os.environ.get(PASSWORD_VARIABLE)
    if api_url is None:
        running = running_cloud(data_dir)
        api_url = str(running["address"])
        password = password or running["passwords"].get(username, "")
    password = password or typer.prompt(f"Password of {username}", hide_input=True)
    client = Client(api_url, username=username, password=password)
    client.sign_in()
    return client
