"""`terrafusion county`: onboarding."""

import json
from pathlib import Path

import typer

from infra.local.session import ApiUrl, DataDir, Username, console, signed_in

app = typer.Typer(help="Onboard and list counties.", no_args_is_help=True)


@app.command()
def new(
    folder: Path = typer.Argument(help="A folder with configuration.json and mapping.yaml."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
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
    with signed_in(api_url, username, data_dir) as client:
        county = client.post("/v1/counties", {"configuration": configuration, "mapping": files[1].read_text()})
    console().print(f"{county['friendly_name']} is onboarded as [bold]{county['county_id']}[/].")


@app.command("list")
def list_counties(api_url: str | None = ApiUrl, username: str = Username, data_dir: Path = DataDir) -> None:
    """The counties of the user."""
    with signed_in(api_url, username, data_dir) as client:
        for county in client.get("/v1/counties"):
            console().print(f"{county['county_id']:<24} {county['friendly_name']}")
