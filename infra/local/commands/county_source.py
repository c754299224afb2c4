"""`terrafusion county source` and `terrafusion county files`: what a county's syncs read."""

import json
from pathlib import Path
from typing import Any

import boto3
import typer

from infra.local.session import DataDir, console, local_client, running_cloud
from infra.local.source_secret import put_source_secret
from shared import storage
from shared.source_description import INCOMING


def source(
    name: str = typer.Argument(help="The secret's name: terrafusion/COUNTY/NAME, as the configuration says it."),
    file: Path = typer.Argument(help="A JSON file: dialect, host, port, dbname, username, password."),
    deployed: bool = typer.Option(False, help="In the AWS account that you are signed in to, not in the local cloud."),
    data_dir: Path = DataDir,
) -> None:
    """Put the address of a county's database into the secret NAME."""
    try:
        text = file.read_text()
        json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}") from None
    secrets: Any = boto3.client("secretsmanager") if deployed else local_client("secretsmanager", data_dir)
    put_source_secret(secrets, name, text)
    console().print(f"The secret [bold]{name}[/] says where the source is.")


def files(
    county_id: str = typer.Argument(help="The county."),
    paths: list[Path] = typer.Argument(metavar="FILE...", help="The files, by the names that the configuration says."),
    prefix: str = typer.Option(INCOMING, help="The `prefix` of the source in the configuration."),
    bucket: str = typer.Option("", help="A deployment's data bucket (its output DataBucket), not the local cloud's."),
    data_dir: Path = DataDir,
) -> None:
    """Put a county's files where its syncs read them."""
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"there is no file {', '.join(missing)}")
    s3: Any = boto3.client("s3") if bucket else local_client("s3", data_dir)
    into = bucket or running_cloud(data_dir)["data_bucket"]
    for path in paths:
        key = storage.county_key(county_id, prefix, path.name)
        s3.upload_file(str(path), into, key)
        console().print(f"{path.name} is at {key}.")
