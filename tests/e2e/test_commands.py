"""The single steps of the command line, against the running platform."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from infra.examples.counties import mapping_text
from shared.mapping import parse_mapping
from tests.e2e.conftest import Platform, command

COUNTIES = Path(str(resources.files("infra.examples"))) / "counties"


def run(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments, "--data-dir", str(platform.data_dir)),
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"COLUMNS": "160"},
    )


def described(county_id: str, name: str, folder: Path) -> Path:
    """A county as an operator would describe it."""
    for file in ("configuration.json", "mapping.yaml"):
        text = (COUNTIES / "king_wa" / file).read_text()
        (folder / file).write_text(text.replace("king_wa", county_id).replace("King County", f"{name} County"))
    return folder


@pytest.fixture(scope="module", autouse=True)
def refused(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A sync of a county whose source refuses the connection. It is tried again for a minute, beside other tests."""
    folder = described("benton_wa", "Benton", tmp_path_factory.mktemp("benton_wa"))
    address = {"host": "127.0.0.1", "port": 1, "dbname": "x", "username": "x", "password": "very-secret"}
    (folder / "source.json").write_text(json.dumps(address))
    done = run(platform, "county", "source", "terrafusion/benton_wa/source", str(folder / "source.json"))
    assert done.returncode == 0, done.stderr
    assert "very-secret" not in done.stdout
    assert run(platform, "county", "new", str(folder)).returncode == 0
    with subprocess.Popen(
        command("sync", "benton_wa", "--data-dir", str(platform.data_dir)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_a_county_is_synced_again_and_nothing_changes(platform: Platform) -> None:
    done = run(platform, "sync", "lucas_oh")

    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout


def test_a_run_is_listed_shown_and_its_quarantine_saved(platform: Platform, tmp_path: Path) -> None:
    listed = run(platform, "sync", "runs", "lucas_oh")
    assert listed.returncode == 0, listed.stderr
    run_id = platform.signed_in("auditor").get("/v1/counties/lucas_oh/sync-runs").json()["items"][-1]["id"]
    assert run_id in listed.stdout

    shown = run(platform, "sync", "show", "lucas_oh", run_id)
    changed = run(platform, "sync", "changes", "lucas_oh", run_id, "--table", "properties_operational", "--limit", "3")
    saved = run(platform, "sync", "rejected", "lucas_oh", run_id, "--save", str(tmp_path / "rows.csv"))

    assert "whole" in shown.stdout
    assert "before and after" in changed.stdout
    assert saved.returncode == 0, saved.stderr
    assert (tmp_path / "rows.csv").read_text().startswith("rejected_from,rejected_key,")


def test_a_run_that_only_validates_is_dropped_by_a_command(platform: Platform) -> None:
    unchanged = run(platform, "sync", "run", "king_wa", "--mode", "snapshot", "--validate-only")
    assert "succeeded" in unchanged.stdout, unchanged.stderr  # there is nothing to approve
    with mapped_otherwise(platform, "king_wa", "map: property_uses}", "map: property_uses}, {type: to_upper}"):
        started = run(platform, "sync", "run", "king_wa", "--validate-only")
        assert "awaiting_approval" in started.stdout, started.stderr
        run_id = platform.signed_in("auditor").get("/v1/counties/king_wa/sync-runs").json()["items"][0]["id"]

        dropped = run(platform, "sync", "cancel", "king_wa", run_id)

    assert "cancelled" in dropped.stdout, dropped.stderr


@contextmanager
def mapped_otherwise(platform: Platform, county_id: str, text: str, by: str) -> Iterator[None]:
    """The county with `by` in the place of `text` in its mapping, for as long as the context lasts."""
    client, address = platform.signed_in("itadmin"), f"/v1/counties/{county_id}"
    mapping = client.get(address).json()["mapping"]
    for content in (mapping.replace(text, by), mapping):
        tag = client.get(address).headers["etag"]
        replaced = client.put(f"{address}/mapping", json={"mapping": content}, headers={"If-Match": tag})
        assert replaced.status_code == 200, replaced.text
        if content != mapping:
            yield


def test_a_county_s_mapping_is_tried_on_its_source(platform: Platform) -> None:
    done = run(platform, "mapping", "check", "lucas_oh", "--table", "sales", "--rows", "3")

    assert done.returncode == 0, done.stderr
    assert "sales, row 3: good" in done.stdout
    assert "saledt" in done.stdout  # the source's column, and what is made of it
    assert "sale_date" in done.stdout
    assert "3 row(s): 3 good, 0 rejected." in done.stdout


def test_a_county_s_mapping_is_tried_on_a_sample(platform: Platform, tmp_path: Path) -> None:
    columns = sorted(parse_mapping(mapping_text("lucas_oh")).table("properties_operational").source_fields)
    good, bad = {"parid": " 01-00017", "yrblt": "1923"}, {"parid": "01-00018", "yrblt": "19x7"}
    sample = tmp_path / "sample.csv"
    with sample.open("w", newline="") as file:
        rows = csv.DictWriter(file, columns)
        rows.writeheader()
        rows.writerows([good, bad])

    done = run(platform, "mapping", "check", "lucas_oh", "--sample", str(sample))

    assert done.returncode == 0, done.stderr
    assert "properties_operational, row 1: good" in done.stdout
    assert "properties_operational, row 2: rejected" in done.stdout
    assert "rejected by type of year_built: '19x7' is not a valid integer" in done.stdout


def test_a_mapping_of_a_county_without_a_table_or_a_column_is_refused_in_a_sentence(
    platform: Platform, tmp_path: Path
) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("parid\n1\n")

    without_table = run(platform, "mapping", "check", "lucas_oh", "--table", "owners")
    without_column = run(platform, "mapping", "check", "lucas_oh", "--sample", str(sample))

    assert (without_table.returncode, without_column.returncode) == (1, 1)
    assert "The mapping does not fill owners" in without_table.stderr
    assert "The rows have no column" in without_column.stderr
    assert "Traceback" not in without_table.stderr + without_column.stderr


def test_a_county_of_files_is_onboarded_and_synced_by_commands(platform: Platform, tmp_path: Path) -> None:
    """The file is larger than what a sync reads at once."""
    parcels = tmp_path / "parcels.csv"
    parcels.write_text(
        "pin,area,built\n" + "".join(f"{n:06},{1000 + n % 900}.5,{1900 + n % 100}\n" for n in range(60_000))
    )
    configuration = json.loads((COUNTIES / "king_wa" / "configuration.json").read_text())
    configuration |= {
        "county_id": "hood_or",
        "county_friendly_name": "Hood County",
        "data_ingestion_settings": {
            "source": {"kind": "files", "tables": {"parcels": {"format": "csv", "file": "parcels.csv"}}}, "mode": "full"
        },
    }  # fmt: skip
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    (tmp_path / "mapping.yaml").write_text(
        """\
source_system_type: FILES
target_schema_version: "1.1"
county_id_default: hood_or
table_mappings:
  - source_table_name: parcels
    target_table_name: properties_operational
    primary_key_source_fields: [pin]
    primary_key_target_fields: [property_id]
    attributes: {unmapped: keep}
    field_map:
      - {source: pin, target: property_id, type: string, required: true}
      - {source: pin, target: parcel_number, type: string, required: true}
      - {target: county_id, type: string, default_from_config: county_id_default}
      - {source: area, target: living_area_sqft, type: decimal}
"""
    )

    new = run(platform, "county", "new", str(tmp_path))
    put = run(platform, "county", "files", "hood_or", str(parcels))
    over_http = subprocess.run(
        command("county", "files", "hood_or", str(parcels), "--api-url", platform.address),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TERRAFUSION_PASSWORD": platform.passwords["itadmin"]},
    )
    assert (over_http.returncode, "parcels.csv is at" in over_http.stdout) == (0, True), over_http.stderr
    done = run(platform, "sync", "hood_or")

    assert (new.returncode, put.returncode, done.returncode) == (0, 0, 0), new.stderr + put.stderr + done.stderr
    assert "counties/hood_or/incoming/parcels.csv" in put.stdout
    assert "succeeded" in done.stdout
    last = platform.signed_in("itadmin").get("/v1/counties/hood_or/properties/059999").json()
    assert (last["living_area_sqft"], last["attributes"]) == ("1599.50", {"built": "1999"})
    missing = run(platform, "county", "files", "hood_or", str(tmp_path / "nowhere.csv"))
    assert missing.returncode == 2
    assert "there is no file" in missing.stderr


def test_a_value_is_shown_with_its_comparables(platform: Platform) -> None:
    subject = platform.signed_in("auditor").get("/v1/counties/lucas_oh/properties?page_size=1").json()["items"][0]

    done = run(platform, "value", "lucas_oh", subject["property_id"], "--date", "1998-07-01")

    assert done.returncode == 0, done.stderr
    assert "80% interval" in done.stdout
    assert "adjusted" in done.stdout


def test_a_county_with_a_faulty_mapping_is_refused_with_the_line(platform: Platform, tmp_path: Path) -> None:
    folder = described("clark_wa", "Clark", tmp_path)
    mapping = folder / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace("type: strip_whitespace", "type: make_nice", 1))
    line = next(n for n, text in enumerate(mapping.read_text().splitlines(), 1) if "make_nice" in text)

    done = run(platform, "county", "new", str(folder))

    assert done.returncode == 1
    assert f"line {line}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_county_that_is_not_the_users_is_refused_in_a_sentence(platform: Platform) -> None:
    done = run(platform, "sync", "nowhere_wa")

    assert done.returncode == 1
    assert "403" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_source_that_refuses_fails_the_run_with_the_reason_and_changes_nothing(
    platform: Platform, refused: subprocess.Popen[str]
) -> None:
    errors, why = refused.communicate(timeout=120)

    assert refused.returncode == 1
    assert "cannot be read: no connection" in why
    assert "very-secret" not in errors + why
    client = platform.signed_in("itadmin")
    assert client.get("/v1/counties/benton_wa/properties").json()["items"] == []
    (failed,) = client.get("/v1/counties/benton_wa/sync-runs").json()["items"]
    assert failed["status"] == "failed"
    assert failed["error"]["detail"]


def test_what_takes_long_is_started_followed_and_kept_by_commands(platform: Platform, tmp_path: Path) -> None:
    period = ("--from", "1997-01-01", "--to", "1998-12-31")
    study = run(
        platform, "ratio-study", "run", "lucas_oh", "--value-source", "assessed", *period, "--strata", "price_quartile"
    )
    assert study.returncode == 0, study.stderr
    assert "price_quartile 1" in study.stdout
    as_json = run(platform, "ratio-study", "run", "lucas_oh", "--value-source", "assessed", *period, "--json")
    job = json.loads(as_json.stdout)["job"]
    shown = run(platform, "ratio-study", "show", "lucas_oh", job["id"], "--file", str(tmp_path / "study.json"))
    assert f"Ratio study {job['id']} is succeeded." in shown.stdout
    assert json.loads((tmp_path / "study.json").read_text())["overall"]["sales"] > 100

    report = run(
        platform, "report", "make", "lucas_oh", "--report-type", "sales_ratio_study", "--ratio-study-id", job["id"],
        "--file", str(tmp_path / "study.pdf"),
    )  # fmt: skip
    market = run(platform, "market-analysis", "run", "lucas_oh", *period, "--file", str(tmp_path / "market.csv"))
    layers = run(
        platform, "export", "make", "lucas_oh", "--layers", "sales", "--file", str(tmp_path / "sales.gpkg"), "--json"
    )

    assert report.returncode == 0, report.stderr
    assert (tmp_path / "study.pdf").read_bytes().startswith(b"%PDF-")
    assert market.returncode == 0, market.stderr
    assert "median price" in market.stdout
    assert (tmp_path / "market.csv").stat().st_size > 100
    assert layers.returncode == 0, layers.stderr
    assert (tmp_path / "sales.gpkg").read_bytes().startswith(b"SQLite")


def test_sales_are_validated_looked_at_and_decided_by_commands(platform: Platform) -> None:
    validated = run(platform, "sales", "validate", "lucas_oh")
    assert validated.returncode == 0, validated.stderr
    assert "flagged sales" in validated.stdout
    (flagged,) = json.loads(run(platform, "sales", "flags", "lucas_oh", "--limit", "1", "--json").stdout)["items"]

    decide = ("sales", "decide", "lucas_oh", flagged["sale_id"], "--note", "looked at", "--decision")
    decided = run(platform, *decide, "valid")

    assert decided.returncode == 0, decided.stderr
    listed = run(platform, "sales", "flags", "lucas_oh", "--decided")
    assert flagged["sale_id"] in listed.stdout
    assert run(platform, *decide, "as_coded").returncode == 0
    refused = run(platform, "ratio-study", "run", "lucas_oh", "--value-source", "guessed")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "value_source" in refused.stderr


def test_a_county_that_is_there_is_not_called_new(platform: Platform, tmp_path: Path) -> None:
    folder = described("adams_wa", "Adams", tmp_path)
    first, again = (run(platform, "county", "new", str(folder)) for _ in range(2))
    configuration = folder / "configuration.json"
    configuration.write_text(configuration.read_text().replace("Adams County", "Adams"))
    otherwise = run(platform, "county", "new", str(folder))
    updated = run(platform, "county", "new", str(folder), "--update")

    assert "is onboarded as adams_wa" in first.stdout, first.stderr
    assert "was there already as adams_wa: nothing has changed" in again.stdout, again.stderr
    assert (otherwise.returncode, "--update" in otherwise.stderr) == (2, True)
    assert "its configuration is replaced" in updated.stdout, updated.stderr


def test_the_objectives_are_shown_as_they_stand_here(platform: Platform) -> None:
    done = run(platform, "status", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    by_name = {objective["name"]: objective for objective in shown["objectives"]}
    assert by_name.keys() == {"SignIn", "Read", "Freshness", "Jobs"}
    assert all(objective["total"] > 0 and objective["good"] <= objective["total"] for objective in by_name.values())
    ages = {county["county_id"]: county for county in shown["counties"]}
    assert ages["lucas_oh"]["last_good_sync"] is not None
    assert not ages["lucas_oh"]["late"]
    assert "Data of counties" in run(platform, "status").stdout
