"""`terrafusion county source` and `terrafusion county files`: what a county's syncs read."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import typer

from infra.cli.session import ApiUrl, DataDir, Username, console, local_client, running_cloud, signed_in
from infra.cli.source_secret import put_source_secret
from shared import storage
from shared.counties.source_description import INCOMING, SECRET_PREFIX
from terrafusion import Client


def source(
    name: str = typer.Argument(help="The secret's name: terrafusion/COUNTY/NAME, as the configuration says it."),
    file: Path = typer.Argument(help="A JSON file: dialect, host, port, dbname, username, password."),
    deployed: str | None = typer.Option(
        None, metavar="STAGE", help="For this stage of the AWS account that you are signed in to, not the local cloud."
    ),
    data_dir: Path = DataDir,
) -> None:
    """Put the address of a county's database into the secret NAME."""
    try:
        text = file.read_text()
        json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}") from None
    secrets: Any = local_client("secretsmanager", data_dir) if deployed is None else boto3.client("secretsmanager")
    if deployed is not None:
        name = _name_in_stage(name, deployed)
    put_source_secret(secrets, name, text)
    console().print(f"The secret [bold]{name}[/] says where the source is.")


def _name_in_stage(name: str, stage: str) -> str:
    """The name under which a stage reads the secret that configurations call `name`."""
    from infra.settings import STAGES  # here, for it takes half a second

    prefixes = {settings.name: settings.source_secret_prefix for settings in STAGES}
    if stage not in prefixes:
        raise typer.BadParameter(f"there is no stage {stage}; there are {', '.join(prefixes)}")
    return prefixes[stage] + name.removeprefix(SECRET_PREFIX)


def files(
    county_id: str = typer.Argument(help="The county."),
    paths: list[Path] = typer.Argument(metavar="FILE...", help="The files, by the names that the configuration says."),
    prefix: str = typer.Option(INCOMING, help="The `prefix` of the source in the configuration."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Put a county's files where its syncs read them."""
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"there is no file {', '.join(missing)}")
    send_files(county_id, paths, prefix=prefix, api_url=api_url, username=username, data_dir=data_dir)


def send_files(
    county_id: str,
    paths: Sequence[Path],
    *,
    prefix: str = INCOMING,
    api_url: str | None,
    username: str,
    data_dir: Path,
) -> None:
    """Put files where a county's files are, through the API or into the local cloud, and say where they are."""
    send: Send = (
        partial(deliver_file, signed_in(api_url, username, data_dir)) if api_url else _into_local_cloud(data_dir)
    )
    for path in paths:
        key = storage.county_key(county_id, prefix, path.name)
        send(county_id, prefix, path)
        console().print(f"{path.name} is at {key}.")


Send = Callable[[str, str, Path], None]


def deliver_file(client: Client, county_id: str, prefix: str, path: Path) -> None:
    """Put a file where a county's files are, through the API. Raises TerraFusionError."""
    delivery = {"name": path.name, "prefix": prefix, "size_bytes": path.stat().st_size}
    client.upload(client.post(f"/v1/counties/{county_id}/files", delivery)["url"], path)


def _into_local_cloud(data_dir: Path) -> Send:
    """Before the county is onboarded too: whoever runs the local cloud is its operator."""
    s3: Any = local_client("s3", data_dir)
    bucket = running_cloud(data_dir)["data_bucket"]

    def send(county_id: str, prefix: str, path: Path) -> None:
        s3.upload_file(str(path), bucket, storage.county_key(county_id, prefix, path.name))

    return send
