"""`terrafusion county`: onboarding."""

import json
from pathlib import Path
from typing import Any

import typer

from infra.local.assembly import REGION
from infra.local.aws.clients import ACCESS_KEY, SECRET_KEY
from infra.local.session import DataDir, SignIn, console, running_cloud, takes_sign_in
from infra.local.source_secret import put_source_secret
from shared import storage
from shared.source_description import INCOMING

app = typer.Typer(help="Onboard and list counties.", no_args_is_help=True)


@app.command()
@takes_sign_in
def new(
    sign_in: SignIn,
    folder: Path = typer.Argument(help="A folder with configuration.json and mapping.yaml."),
) -> None:
    """Onboard the county that FOLDER describes."""
    files = [folder / "configuration.json", folder / "mapping.yaml"]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise typer.BadParameter(f"there is no {' and no '.join(missing)}")
    try:
        configuration = json.loads(files[0].read_text())
    except ValueError as error:
        raise typer.BadParameter(f"{files[0]} is not JSON: {error}") from None
    with sign_in() as client:
        county = client.post("/v1/counties", {"configuration": configuration, "mapping": files[1].read_text()})
    console().print(f"{county['friendly_name']} is onboarded as [bold]{county['county_id']}[/].")


@app.command()
def source(
    name: str = typer.Argument(help="The secret's name: terrafusion/COUNTY/NAME, as the configuration says it."),
    file: Path = typer.Argument(help="A JSON file: dialect, host, port, dbname, username, password."),
    deployed: bool = typer.Option(False, help="In the AWS account that you are signed in to, not in the local cloud."),
    data_dir: Path = DataDir,
) -> None:
    """Put the address of a county's database into the secret NAME."""
    import boto3

    try:
        text = file.read_text()
        json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}") from None
    secrets: Any = boto3.client("secretsmanager") if deployed else _local_client("secretsmanager", data_dir)
    put_source_secret(secrets, name, text)
    console().print(f"The secret [bold]{name}[/] says where the source is.")


@app.command()
def files(
    county_id: str = typer.Argument(help="The county."),
    paths: list[Path] = typer.Argument(metavar="FILE...", help="The files, by the names that the configuration says."),
    prefix: str = typer.Option(INCOMING, help="The `prefix` of the source in the configuration."),
    bucket: str = typer.Option("", help="A deployment's data bucket (its output DataBucket), not the local cloud's."),
    data_dir: Path = DataDir,
) -> None:
    """Put a county's files where its syncs read them."""
    import boto3

    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"there is no file {', '.join(missing)}")
    s3: Any = boto3.client("s3") if bucket else _local_client("s3", data_dir)
    into = bucket or running_cloud(data_dir)["data_bucket"]
    for path in paths:
        key = storage.county_key(county_id, prefix, path.name)
        s3.upload_file(str(path), into, key)
        console().print(f"{path.name} is at {key}.")


@app.command("list")
@takes_sign_in
def list_counties(sign_in: SignIn) -> None:
    """The counties of the user."""
    with sign_in() as client:
        for county in client.get("/v1/counties"):
            console().print(f"{county['county_id']:<24} {county['friendly_name']}")


def _local_client(service: Any, data_dir: Path) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=running_cloud(data_dir)["aws_endpoint"],
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
