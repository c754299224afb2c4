"""`terrafusion district`: map layers loaded, and districts looked up."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from infra.cli.commands.api_description import COUNTY
from infra.cli.commands.county_source import send_files
from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.session import ApiUrl, DataDir, SignIn, Username, console, signed_in, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

_FORMATS = {
    ".gpkg": "geopackage",
    ".geojson": "geojson",
    ".json": "geojson",
    ".gdb.zip": "file_geodatabase",
    ".zip": "shapefile",
    ".kml": "kml",
    ".kmz": "kml",
    ".fgb": "flatgeobuf",
    ".parquet": "parquet",
    ".csv": "csv",
}
"""Formats by the endings of files' names, the longer ending first."""

app = typer.Typer(no_args_is_help=True)


@app.callback()
def district() -> None:
    """Load map layers, and look districts up."""


@app.command()
def load(
    county_id: str = typer.Argument(help="The county."),
    layer: str = typer.Argument(help="The layer's name: lower case, as in fire or school-2026."),
    file: Path = typer.Argument(help="A geographic file, or a JSON file with the `source` of a service or a table."),
    key: str = typer.Option(..., help="The column that identifies a district."),
    name: str | None = typer.Option(None, help="The column with its name."),
    shape: str | None = typer.Option(None, help="The column with its shape, in CSV, Parquet or a table."),
    title: str | None = typer.Option(None, help="What people call the layer; its name without it."),
    kind: str = typer.Option("other", metavar="fire|school|voting|tax|other", help="What its districts are."),
    layer_of_file: str | None = typer.Option(None, "--layer-of-file", help="The layer, where the file has several."),
    valid_from: datetime | None = typer.Option(
        None, formats=["%Y-%m-%d"], help="The day from which it holds; today without it."
    ),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Load LAYER of COUNTY_ID from FILE, and show what was found."""
    source = _source(file, layer_of_file)
    if source["kind"] == "file":
        send_files(county_id, [file], api_url=api_url, username=username, data_dir=data_dir)
    body = {
        "title": title or layer,
        "kind": kind,
        "source": source,
        "key": key,
        "name": name,
        "shape": shape,
        "valid_from": None if valid_from is None else valid_from.date().isoformat(),
    }
    load_layer(signed_in(api_url, username, data_dir), console(), county_id, layer, body)


@app.command()
@takes_sign_in
def lookup(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    address: str | None = typer.Option(None, help="A street address; abbreviations and slips are taken."),
    longitude: float | None = typer.Option(None, help="With --latitude: a place in degrees."),
    latitude: float | None = typer.Option(None),
    day: datetime | None = typer.Option(None, "--date", formats=["%Y-%m-%d"], help="A day; today without it."),
    layers: str | None = typer.Option(None, help="Names of layers, with commas; all without it."),
    as_json: bool = typer.Option(False, "--json", help="Print what the API answers."),
) -> None:
    """Show the districts of COUNTY_ID at an address or a place."""
    with sign_in() as client:
        answer = client.get(
            f"{COUNTY}/districts/lookup".format(county_id=county_id),
            address=address,
            longitude=longitude,
            latitude=latitude,
            date=None if day is None else day.date().isoformat(),
            layers=layers,
        )
    if as_json:
        print(json.dumps(answer, indent=1, ensure_ascii=False))
        return
    show_lookup(console(), answer)


def load_layer(client: Client, screen: Console, county_id: str, layer: str, body: Mapping[str, Any]) -> None:
    """Load a layer, and print what was found. Raises TerraFusionError."""
    path = f"{COUNTY}/district-layers/{layer}".format(county_id=county_id)
    job = wait_with_progress(client, screen, client.request("PUT", path, body=body))
    _show_results(screen, client.get(job["links"]["results"]))


def show_lookup(screen: Console, answer: Mapping[str, Any]) -> None:
    """Print the answer of a lookup."""
    if answer["match"] is not None:
        screen.print(_matched(answer["match"]))
        if answer["ambiguous"]:
            screen.print("Others match as well:")
        for other in answer["alternatives"][: 10 if answer["ambiguous"] else 0]:
            screen.print(f"  {_matched(other)}")
    table = WholeTable("layer", "district", "name")
    for layer in answer["layers"]:
        for found in layer["districts"]:
            table.add_row(layer["title"], found["district_id"], found["name"])
        if layer["outside"]:
            table.add_row(layer["title"], "", "outside")
    screen.print(table)


def _matched(match: Mapping[str, Any]) -> str:
    city = f", {match['city']}" if match["city"] else ""
    return f"{match['address']}{city} (property {match['property_id']}, score {match['score']})"


def _source(file: Path, layer_of_file: str | None) -> dict[str, Any]:
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    if file.suffix == ".json":
        described = _described(file)
        if described is not None:
            return described
    format_ = next((known for ending, known in _FORMATS.items() if file.name.lower().endswith(ending)), None)
    if format_ is None:
        raise typer.BadParameter(f"{file.name} has none of the endings {', '.join(_FORMATS)}")
    description = {"format": format_, "file": file.name}
    return {"kind": "file", "file": description | ({"layer": layer_of_file} if layer_of_file else {})}


def _described(file: Path) -> dict[str, Any] | None:
    """The source that a JSON file describes; None where it is something else."""
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}") from None
    return document if isinstance(document, dict) and "kind" in document else None


def _show_results(screen: Console, results: Mapping[str, Any]) -> None:
    counts = results["features"]
    screen.print(
        f"Version {results['version']} of [bold]{results['layer']}[/]: {counts['added']:,} added,"
        f" {counts['changed']:,} changed, {counts['removed']:,} removed, {counts['unchanged']:,} as they were."
    )
    for repaired in results["repaired"]:
        screen.print(f"  {repaired['district_id']} (row {repaired['row']}) was repaired: {repaired['reason']}")
    for rejected in results["rejected"]:
        screen.print(f"  {rejected['district_id']} (row {rejected['row']}): {rejected['reason']}")
    topology = results["topology"]
    if topology["checked"]:
        screen.print(f"  {topology['overlap_count']:,} overlaps, {topology['gap_count']:,} gaps.")
