"""`terrafusion demo`: two real counties through the whole platform, by the API and nothing else."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from infra.cli.commands.county_source import deliver_file
from infra.cli.commands.demo_roll import bring_out_the_roll
from infra.cli.commands.district import load_layer, show_lookup
from infra.cli.commands.local_cloud import serving
from infra.cli.commands.model import model_shown, promote_model, train_model
from infra.cli.commands.results import months_table, ratio_studies_table
from infra.cli.commands.roll import change_roll
from infra.cli.commands.sync import run_sync, run_table
from infra.cli.commands.up import introduce
from infra.cli.commands.upload import (
    approve_upload,
    compare_upload,
    print_inspection,
    roll_back_upload,
    send_file,
)
from infra.cli.commands.value import ask_value, valuation_shown
from infra.cli.commands.value_county import run_shown, run_valuation
from infra.cli.session import DataDir, console
from infra.cli.source_secret import put_source_secret
from infra.examples.counties import configuration_text, mapping_text
from shared.counties.source_description import INCOMING
from terrafusion import Client
from terrafusion.requests import PropertyPatch

STUDIES: dict[str, dict[str, Any]] = {
    # King County's system holds no assessed values with its sales, so the model's values are studied
    "king_wa": {
        "value_source": "model",
        "from": "2014-05-01",
        "to": "2015-05-31",
        "valuation_date": "2015-06-01",
        "strata": ["price_quartile"],
    },
    "lucas_oh": {"value_source": "assessed", "from": "1997-01-01", "to": "1998-12-31", "strata": ["price_quartile"]},
}
# Lucas County's system holds its own appraisals, so that new values have something to be compared with
VALUED: dict[str, Any] = {"county_id": "lucas_oh", "valuation_date": "1999-01-01", "roll_year": 1999}
PROMOTED_BECAUSE = "the demo's only model"
ROLL = {"county_id": "lucas_oh", "roll_year": 1998}
MADE_UP_ADDRESS: PropertyPatch = {"situs_address": "12 NE Oak Street"}
ASKED_ADDRESS = "12 northeast oak st"
WINDOW = [-122.45, 47.55, -122.25, 47.70]


def demo(
    data_dir: Path = DataDir,
    port: int = typer.Option(8080, help="The port of the API on this machine."),
    keep: bool = typer.Option(False, "--keep", help="Leave the API up afterwards, until Ctrl-C."),
) -> None:
    """Run two real counties from their legacy systems to ratio study, report and map."""
    screen = console()
    started = time.monotonic()
    with serving(data_dir, port, screen) as (cloud, wait):
        output = cloud.data_dir / "demo"
        output.mkdir(exist_ok=True)
        show = _Steps(screen)
        with show("Two legacy systems, filled with real sales"):
            _legacy_systems(cloud, screen)
        with _signed_in(cloud, "ITAdmin") as client:
            with show("Counties onboarded"):
                _onboard(client, screen)
            for county_id in STUDIES:
                with show(f"{county_id}: synced from the legacy system"):
                    _sync(client, screen, county_id)
            studies = {}
            with show("Ratio studies"):
                for county_id in STUDIES:
                    studies[county_id] = _study(client, county_id)
                screen.print(ratio_studies_table({county_id: study["results"] for county_id, study in studies.items()}))
            with show("A model trained, measured on sales it had not seen, and promoted"):
                _model(client, screen)
            with show("A parcel valued by the champion"):
                _value(client, screen)
            with show("The whole county valued, and what needs no review approved to the roll"):
                _county(client, screen, output)
            with show("Market analysis"):
                _market(client, screen)
            with show("Reports and map layers"):
                files = _files(client, output, studies)
            uploading = "Corrections uploaded by one, approved by another, and rolled back"
            with show(uploading), _signed_in(cloud, "Assessor") as assessor:
                _upload(client, assessor, screen, output)
            looked_up = "Districts: a map layer loaded, an address and a place looked up"
            with show(looked_up), _signed_in(cloud, "Assessor") as assessor:
                _districts(client, assessor, screen, files["map layers"])
            brought_out = "The roll: notices, an evidence packet, certified, written back, its audit trail verified"
            with show(brought_out), _signed_in(cloud, "Assessor") as assessor:
                files |= bring_out_the_roll(client, assessor, screen, output, VALUED["county_id"], VALUED["roll_year"])
        screen.print(f"\n[bold]Done[/] in {time.monotonic() - started:.0f} s.")
        for name, file in files.items():
            screen.print(f"  {name:<18} {file}")
        screen.print(f"  {'log':<18} {cloud.data_dir / 'logs'}")
        for county_id in STUDIES:
            screen.print(f"  {'layers':<18} {cloud.url}/ogc/{county_id}")
        screen.print("  In QGIS, while the platform is up (--keep, or `terrafusion up`):")
        screen.print("  Add WFS / OGC API - Features Layer, that address, and a key as the Basic password:")
        screen.print(
            f"  terrafusion key new {' '.join(STUDIES)} --name QGIS --data-dir {cloud.data_dir}", soft_wrap=True
        )
        if keep:
            introduce(cloud, screen)
            wait()


def _signed_in(cloud: Any, role: str) -> Client:
    user = next(user for user in cloud.credentials if user.role == role)
    return Client(cloud.url, username=user.username, password=user.password)


class _Steps:
    """Numbered steps, each with its seconds."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._number = 0

    @contextmanager
    def __call__(self, title: str) -> Iterator[None]:
        self._number += 1
        started = time.monotonic()
        self._screen.print(f"\n[bold]{self._number}. {title}[/]")
        yield
        self._screen.print(f"   [dim]{time.monotonic() - started:.1f} s[/]")


def _legacy_systems(cloud: Any, screen: Console) -> None:
    """The databases stand on the local server; their addresses go where an operator would put them."""
    from infra.examples import legacy
    from infra.examples.legacy.next_roll import open_roll_of_1999

    secrets = cloud.clients("secretsmanager")
    for county_id, url in legacy.build(cloud.postgres.owner_url()).items():
        name = f"terrafusion/{county_id}/source"
        address = {
            "dialect": "postgresql",
            "host": url.host,
            "port": url.port,
            "dbname": url.database,
            "username": url.username,
            "password": url.password,
            "sslmode": "disable",
        }
        put_source_secret(secrets, name, json.dumps(address))
        screen.print(f"   {url.database}; its address is in the secret {name}")
        if county_id == VALUED["county_id"]:
            open_roll_of_1999(url)
            screen.print(f"   its roll of {VALUED['roll_year']} is opened with the values of {ROLL['roll_year']}")


def _onboard(client: Client, screen: Console) -> None:
    for county_id in STUDIES:
        configuration = json.loads(configuration_text(county_id))
        county = client.post("/v1/counties", {"configuration": configuration, "mapping": mapping_text(county_id)})
        screen.print(f"   {county['friendly_name']} ({county['legacy_system_type']})")
    client.renew()  # the counties are in the next token


def _sync(client: Client, screen: Console, county_id: str) -> None:
    seconds, run = _timed(lambda: run_sync(client, screen, county_id))
    screen.print(run_table(run))
    read = sum(table["read"] for table in run["tables"].values())
    loaded = sum(table["added"] + table["changed"] for table in run["tables"].values())
    rejected = sum(table["rejected"] for table in run["tables"].values())
    screen.print(
        f"   {read:,} rows read, {loaded:,} loaded, {rejected} quarantined in {seconds:.1f} s"
        f" ({read / seconds:,.0f} rows/s)"
    )
    for row in client.get(f"{run['links']['rejected_rows']}", page_size=3)["items"]:
        reasons = "; ".join(f"{reason['field']}: {reason['message']}" for reason in row["reasons"])
        screen.print(f"   quarantined: {row['table']} {row['source_key']}: {reasons}", markup=False)
    seconds, again = _timed(lambda: run_sync(client, screen, county_id))
    written = sum(t["added"] + t["changed"] + t["removed"] + t["returned"] for t in again["tables"].values())
    screen.print(f"   again: {written} rows changed, in {seconds:.1f} s")


def _model(client: Client, screen: Console) -> None:
    request = {"valuation_date": VALUED["valuation_date"]}
    results = train_model(client, screen, VALUED["county_id"], request)
    screen.print(model_shown(results))
    reason = None if results["model"]["meets_standard"] else PROMOTED_BECAUSE
    promoted = promote_model(client, VALUED["county_id"], results["model_id"], reason)
    screen.print(f"   {promoted['id']} is the {promoted['standing']}")


def _county(client: Client, screen: Console, output: Path) -> None:
    request = {"valuation_date": VALUED["valuation_date"]}
    seconds, run = _timed(lambda: run_valuation(client, screen, VALUED["county_id"], request))
    screen.print(run_shown(run, client.get(f"{run['links']['self']}/summary")))
    sure = {"roll_year": VALUED["roll_year"], "filter": {"review": False}}
    screen.print("   " + change_roll(client, screen, f"{run['links']['self']}/approve", sure))
    file = client.download(
        f"{run['links']['self']}/download?format=parquet", output / f"{VALUED['county_id']}-values.parquet"
    )
    screen.print(f"   {run['properties'] / seconds:,.0f} properties a second; the values are in {file}")


def _value(client: Client, screen: Console) -> None:
    county = f"/v1/counties/{VALUED['county_id']}"
    subject = client.get(f"{county}/properties", page_size=1)["items"][0]
    screen.print(
        f"   {subject['property_id']}: {subject['situs_address'] or 'no address'}, {subject['living_area_sqft']} sq ft,"
        f" built {subject['year_built']}"
    )
    request = {"property_id": subject["property_id"], "valuation_date": VALUED["valuation_date"]}
    screen.print(valuation_shown(ask_value(client, screen, VALUED["county_id"], request)))


def _study(client: Client, county_id: str) -> dict[str, Any]:
    job = client.wait(client.post(f"/v1/counties/{county_id}/ratio-studies", STUDIES[county_id]))
    return {"job": job, "results": client.get(job["links"]["results"])}


def _upload(client: Client, assessor: Client, screen: Console, output: Path) -> None:
    county_id = VALUED["county_id"]
    parcels = client.get(f"/v1/counties/{county_id}/properties", page_size=5)["items"]
    file = output / f"{county_id}-corrections.csv"
    rows = (f"{parcel['property_id']},{1900 + number}" for number, parcel in enumerate(parcels, start=1))
    file.write_text("\n".join(["Property ID,Year Built", *rows, "no such parcel,1950"]) + "\n")
    upload = send_file(client, screen, county_id, file)
    print_inspection(screen, upload)
    compared = compare_upload(client, screen, upload)
    counts = compared["counts"]
    screen.print(f"   {counts['changed']} changed, {counts['rejected']} rejected: approved by another")
    approve_upload(assessor, screen, county_id, upload["id"], "checked against the permits")
    run = roll_back_upload(assessor, screen, county_id, upload["id"], {"reason": "the demo's end"})
    restored = run["tables"]["properties_operational"]["changed"]
    screen.print(f"   rolled back: {restored} parcels are as they were, with every version in their history")


def _districts(client: Client, assessor: Client, screen: Console, exported: Path) -> None:
    """The county's data has neither districts nor street addresses: a layer and an address are made for the demo."""
    from infra.examples.neighborhood_areas import write_neighborhood_areas

    county_id = "king_wa"
    file = exported.with_name(f"{county_id}-neighborhoods.geojson")
    codes = write_neighborhood_areas(exported, file)
    screen.print(f"   {file.name}: {len(codes)} areas, each made of the places nearest to a neighborhood's parcels")
    deliver_file(client, county_id, INCOMING, file)
    source = {"kind": "file", "file": {"format": "geojson", "file": file.name}}
    layer = {"title": "Neighborhoods", "kind": "other", "source": source, "key": "code", "name": "name"}
    load_layer(client, screen, county_id, "neighborhoods", layer)

    king = assessor.county(county_id)
    parcel = next(iter(king.properties(neighborhood=codes[0], bbox=",".join(map(str, WINDOW)), page_size=1)))
    king.patch_property(parcel.property_id, MADE_UP_ADDRESS, if_match=king.get_property(parcel.property_id))
    screen.print(f"   {parcel.property_id} of neighborhood {codes[0]} is given an address: the source has none")
    lookup = f"/v1/counties/{county_id}/districts/lookup"
    screen.print(f"   address {ASKED_ADDRESS!r}:")
    show_lookup(screen, client.get(lookup, address=ASKED_ADDRESS))
    place = {"longitude": (WINDOW[0] + WINDOW[2]) / 2, "latitude": (WINDOW[1] + WINDOW[3]) / 2}
    screen.print(f"   longitude {place['longitude']:.3f}, latitude {place['latitude']:.3f}:")
    show_lookup(screen, client.get(lookup, **place))


def _market(client: Client, screen: Console) -> None:
    request = {"from": "2014-05-01", "to": "2015-05-31", "group_by": "none"}
    job = client.wait(client.post("/v1/counties/king_wa/market-analyses", request))
    overall = client.get(job["links"]["results"])["overall"]
    screen.print(months_table(overall, title="King County, price index"))


def _files(client: Client, output: Path, studies: Mapping[str, Mapping[str, Any]]) -> dict[str, Path]:
    request = {
        "ratio study report": (
            "king_wa/reports",
            {
                "report_type": "sales_ratio_study",
                "format": "pdf",
                "parameters": {"ratio_study_id": studies["king_wa"]["job"]["id"]},
            },
            "king_wa-ratio-study.pdf",
        ),
        "roll summary": (
            f"{ROLL['county_id']}/reports",
            {
                "report_type": "assessment_roll_summary",
                "format": "csv",
                "parameters": {"roll_year": ROLL["roll_year"]},
            },
            "lucas_oh-roll-summary.csv",
        ),
        "map layers": (
            "king_wa/gis-exports",
            {"layers": ["parcels", "sales"], "format": "geopackage", "bbox": WINDOW},
            "king_wa-seattle.gpkg",
        ),
    }
    files = {}
    for name, (collection, body, filename) in request.items():
        job = client.wait(client.post(f"/v1/counties/{collection}", body))
        files[name] = client.download(job["links"]["download"], output / filename)
    return files


def _timed(work: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    started = time.monotonic()
    result = work()
    return time.monotonic() - started, result
