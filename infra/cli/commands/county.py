"""`terrafusion county`: onboarding."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from infra.cli.commands.lazy import LazyCommand, lazy_group
from infra.cli.session import SignIn, console, takes_sign_in
from terrafusion import Client, ConflictError

if TYPE_CHECKING:
    from terrafusion.requests import CountyConfiguration

_HERE = "infra.cli.commands"

app = typer.Typer(
    no_args_is_help=True,
    cls=lazy_group(
        {
            "new": LazyCommand(f"{_HERE}.county:new", "Onboard the county that FOLDER describes."),
            "source": LazyCommand(
                f"{_HERE}.county_source:source", "Put the address of a county's database into the secret NAME."
            ),
            "files": LazyCommand(f"{_HERE}.county_source:files", "Put a county's files where its syncs read them."),
            "check": LazyCommand(f"{_HERE}.county_check:check", "Check a county's source before anything is synced."),
            "list": LazyCommand(f"{_HERE}.county:list_counties", "List the counties of the user."),
        }
    ),
)


@app.callback()
def county() -> None:
    """Onboard and list counties."""


@takes_sign_in
def new(
    sign_in: SignIn,
    folder: Path = typer.Argument(help="A folder with configuration.json and mapping.yaml."),
    update: bool = typer.Option(False, "--update", help="Replace what a county that is there already has otherwise."),
) -> None:
    """Onboard the county that FOLDER describes."""
    configuration, mapping = _description(folder)
    screen = console()
    with sign_in() as client:
        county_id = configuration.get("county_id")
        before = next((one for one in client.get("/v1/counties") if one["county_id"] == county_id), None)
        try:
            county = client.post("/v1/counties", {"configuration": configuration, "mapping": mapping})
        except ConflictError as error:
            if before is None or error.slug != "county-exists":
                raise
            if not update:
                raise typer.BadParameter(
                    f"{county_id} is there already, otherwise than {folder} describes it: --update replaces that"
                ) from None
            screen.print(f"{before['friendly_name']} was there already: {_updated(client, configuration, mapping)}.")
            return
    if before is None:
        screen.print(f"{county['friendly_name']} is onboarded as [bold]{county_id}[/].")
    else:
        screen.print(f"{county['friendly_name']} was there already as [bold]{county_id}[/]: nothing has changed.")


@takes_sign_in
def list_counties(
    sign_in: SignIn, as_json: bool = typer.Option(False, "--json", help="Print what the API answers.")
) -> None:
    """List the counties of the user."""
    with sign_in() as client:
        counties = client.get("/v1/counties")
    if as_json:
        print(json.dumps(counties, indent=1, ensure_ascii=False))
        return
    for county in counties:
        console().print(f"{county['county_id']:<24} {county['friendly_name']}")


def _description(folder: Path) -> tuple[dict[str, Any], str]:
    files = [folder / "configuration.json", folder / "mapping.yaml"]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise typer.BadParameter(f"there is no {' and no '.join(missing)}")
    texts = []
    for file in files:
        try:
            texts.append(file.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file} cannot be read as UTF-8: {error}") from None
    try:
        configuration = json.loads(texts[0])
    except ValueError as error:
        raise typer.BadParameter(f"{files[0]} is not JSON: {error}") from None
    if not isinstance(configuration, dict):
        raise typer.BadParameter(f"{files[0]} is no JSON object")
    return configuration, texts[1]


def _updated(client: Client, configuration: dict[str, Any], mapping: str) -> str:
    """Replace configuration and mapping where they differ; which of them did."""
    county = client.county(configuration["county_id"])
    before = county.get_county()
    after = county.put_configuration(cast("CountyConfiguration", configuration), if_match=before)
    changed = ["configuration"] if after["configuration"] != before["configuration"] else []
    if mapping != before.mapping:
        county.put_mapping({"mapping": mapping}, if_match=after)
        changed.append("mapping")
    return f"its {' and its '.join(changed)} {'is' if len(changed) == 1 else 'are'} replaced" if changed else "as it is"
