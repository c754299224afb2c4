"""The platform after the demo, seen from outside."""

import csv
import gzip
import hashlib
import json
import re
import time
from collections import Counter
from importlib import resources
from math import floor
from pathlib import Path
from typing import Any

import httpx
import pyogrio
from openapi_spec_validator import validate

from infra.cli.session import local_client
from tests.e2e.conftest import Platform

KING = "/v1/counties/king_wa"
LUCAS = "/v1/counties/lucas_oh"


def source_rows(name: str) -> list[dict[str, str]]:
    file = resources.files("infra.examples.legacy").joinpath("data", name)
    with file.open("rb") as raw, gzip.open(raw, "rt") as text:
        return list(csv.DictReader(text))


def all_items(platform: Platform, path: str, **query: Any) -> list[dict[str, Any]]:
    client = platform.signed_in("itadmin")
    items: list[dict[str, Any]] = []
    token = None
    while True:
        page = client.get(path, params={"page_size": 1000, **query} | ({"page_token": token} if token else {})).json()
        items += page["items"]
        token = page["next_page_token"]
        if token is None:
            return items


def test_the_demo_says_what_was_done(platform: Platform) -> None:
    assert "5 changed, 1 rejected: approved by another" in platform.output
    assert "rolled back: 5 parcels are as they were" in platform.output
    assert len(re.findall(r"rows read, [\d,]+ loaded, \d+ quarantined", platform.output)) == 2
    assert platform.output.count("again: 0 rows changed") == 2
    assert "interval" in platform.output
    assert f"{platform.address}/ogc/king_wa" in platform.output
    for county_id in ("king_wa", "lucas_oh"):
        assert county_id in platform.output


def test_every_parcel_that_was_sold_is_there_with_its_facts(platform: Platform) -> None:
    sold = {row["parcel_id"]: row for row in source_rows("lucas_county_oh_sales.csv.gz")}

    finding = {item["property_id"]: item for item in all_items(platform, f"{LUCAS}/properties")}
    approved = approved_values(platform)

    assert set(finding) == set(sold)
    for parcel_id, row in sold.items():
        assert float(finding[parcel_id]["living_area_sqft"]) == float(row["TLA"])
        assert abs(finding[parcel_id]["longitude"] - float(row["longitude"])) < 1e-6
        assert float(finding[parcel_id]["total_value"]) == approved.get(parcel_id, float(row["avalue"]))


def approved_values(platform: Platform) -> dict[str, float]:
    """The values, in whole dollars, of the demo's run that needed no review."""
    (run,) = platform.signed_in("auditor").get(f"{LUCAS}/valuation-runs").json()["items"]
    results = all_items(platform, f"{LUCAS}/valuation-runs/{run['id']}/results", review="false", valued="true")
    return {item["property_id"]: floor(float(item["estimate"]) + 0.5) for item in results}


def test_a_model_was_trained_by_the_machine_promoted_and_brought_to_the_roll(platform: Platform) -> None:
    client = platform.signed_in("auditor")
    (model,) = client.get(f"{LUCAS}/valuation-models").json()["items"]
    (run,) = client.get(f"{LUCAS}/valuation-runs").json()["items"]
    sold = len({row["parcel_id"] for row in source_rows("lucas_county_oh_sales.csv.gz")})

    assert (model["status"], model["standing"]) == ("succeeded", "champion")
    assert 0.9 < model["model"]["statistics"]["median"]["value"] < 1.1
    assert 0.7 < model["model"]["coverage"] < 0.9
    assert (run["status"], run["properties"], run["valued"] + run["not_valued"]) == ("succeeded", sold, sold)
    assert 0 < run["review"] < sold / 2
    (approval,) = run["approvals"]
    roll = client.get(f"{LUCAS}/rolls/{approval['roll_year']}").json()
    assert roll["status"] == "closed", "the demo certifies it"
    assert (roll["assessments"], approval["assessments"]) == (sold, len(approved_values(platform)))
    assert client.post(f"{LUCAS}/rolls/{approval['roll_year']}/close", json={}).status_code == 403


def test_every_sale_of_the_source_is_there_with_its_price(platform: Platform) -> None:
    expected = Counter(row["id"] for row in source_rows("king_county_wa_sales.csv.gz"))
    twice = next(parcel for parcel, count in expected.items() if count == 2)
    client = platform.signed_in("auditor")
    (item,) = client.get(f"{KING}/properties", params={"parcel_number": twice}).json()["items"]

    sales = client.get(f"{KING}/properties/{item['property_id']}/sales").json()

    prices = [float(row["price"]) for row in source_rows("king_county_wa_sales.csv.gz") if row["id"] == twice]
    assert sorted(float(s["sale_price"]) for s in sales if s["validity_code"] == "valid") == sorted(prices)


def test_bad_rows_are_in_quarantine_with_their_reasons(platform: Platform) -> None:
    runs = platform.signed_in("itadmin").get(f"{KING}/sync-runs").json()["items"]
    first = runs[-1]
    rejected = all_items(platform, f"{KING}/sync-runs/{first['id']}/rejected-rows")

    assert len(rejected) == sum(table["rejected"] for table in first["tables"].values()) > 0
    assert all(row["reasons"] and row["source_row"] for row in rejected)
    assert any(len(row["reasons"]) > 1 for row in rejected)


def test_a_value_adds_up_and_rests_on_earlier_sales_only(platform: Platform) -> None:
    client = platform.signed_in("valuation")
    subject = client.get(f"{KING}/properties", params={"neighborhood": "98103", "page_size": 1}).json()["items"][0]
    request = {"property_id": subject["property_id"], "valuation_date": "2015-01-15"}

    answer = client.post(f"{KING}/valuations", json=request, headers={"Idempotency-Key": "one"})
    while answer.status_code == 202:  # no champion serves that day: a job fits the county's sales first
        assert client.get(answer.headers["location"]).json()["status"] != "failed"
        time.sleep(0.2)
        answer = client.post(f"{KING}/valuations", json=request, headers={"Idempotency-Key": "one"})
    again = client.post(f"{KING}/valuations", json=request, headers={"Idempotency-Key": "one"})

    value = answer.json()
    assert answer.status_code == 201, answer.text
    assert again.json()["valuation_id"] == value["valuation_id"]
    assert float(value["interval"]["low"]) < float(value["estimate"]) < float(value["interval"]["high"])
    assert value["comparables"]
    for sale in value["comparables"]:
        assert sale["sale_date"] < "2015-01-15"
        total = float(sale["sale_price"]) + sum(float(a["amount"]) for a in sale["adjustments"])
        assert abs(total - float(sale["adjusted_price"])) < 0.01
    assert abs(sum(sale["weight"] for sale in value["comparables"]) - 1) < 1e-4


def test_the_export_opens_in_gdal_and_holds_the_window(platform: Platform) -> None:
    file = platform.data_dir / "demo" / "king_wa-seattle.gpkg"
    assert {name for name, _ in pyogrio.list_layers(file)} == {"parcels", "sales", "layer_styles"}

    count = pyogrio.read_info(file, layer="parcels")["features"]

    assert count == len(all_items(platform, f"{KING}/properties", bbox="-122.45,47.55,-122.25,47.70"))


def test_a_loaded_layer_holds_each_parcel_of_its_window_where_its_neighborhood_is(platform: Platform) -> None:
    client = platform.signed_in("auditor")
    (layer,) = client.get(f"{KING}/district-layers").json()
    assert (layer["layer"], layer["version"]) == ("neighborhoods", 1)
    window = {"bbox": "-122.45,47.55,-122.25,47.70"}
    items = client.get(f"{KING}/properties", params={"page_size": 20, **window}).json()["items"]
    for item in items:
        place = {"longitude": item["longitude"], "latitude": item["latitude"]}
        (answer,) = client.get(f"{KING}/districts/lookup", params=place).json()["layers"]
        assert item["neighborhood"] in [district["district_id"] for district in answer["districts"]]


def test_the_address_that_the_demo_gives_a_parcel_leads_to_its_neighborhood(platform: Platform) -> None:
    client = platform.signed_in("auditor")
    answer = client.get(f"{KING}/districts/lookup", params={"address": "12 oak"}).json()
    (district,) = answer["layers"][0]["districts"]
    parcel = client.get(f"{KING}/properties/{answer['match']['property_id']}").json()
    assert (district["district_id"], answer["ambiguous"]) == (parcel["neighborhood"], False)
    assert f"{parcel['property_id']} of neighborhood {parcel['neighborhood']} is given an address" in platform.output


def test_the_report_is_a_pdf_and_the_roll_a_table(platform: Platform) -> None:
    folder = platform.data_dir / "demo"
    assert (folder / "king_wa-ratio-study.pdf").read_bytes().startswith(b"%PDF-")
    with (folder / "lucas_oh-roll-summary.csv").open() as file:
        rows = list(csv.reader(file))
    assert len(rows) > 2
    assert len({len(row) for row in rows}) == 1


def test_what_was_changed_is_in_the_audit_trail(platform: Platform) -> None:
    actions = {event["action"] for event in all_items(platform, f"{KING}/audit-events")}
    assert "county.onboarded" in actions


def test_the_description_is_served_and_valid(platform: Platform) -> None:
    document = platform.client().get("/v1/openapi.json").json()
    validate(document)
    page = platform.client().get("/v1/docs")
    assert page.headers["content-type"].startswith("text/html")


def test_the_counties_are_scheduled_in_their_own_time(platform: Platform) -> None:
    for county_id in ("king_wa", "lucas_oh"):
        county = platform.signed_in("itadmin").get(f"/v1/counties/{county_id}").json()
        folder = Path(str(resources.files("infra.examples"))) / "counties" / county_id
        assert (
            county["configuration"]["timezone"] == json.loads((folder / "configuration.json").read_text())["timezone"]
        )


def test_the_clock_measures_the_age_of_each_countys_data(platform: Platform) -> None:
    measured = local_client("lambda", platform.data_dir).invoke(FunctionName="terrafusion-dev-freshness", Payload=b"{}")
    answer = json.loads(measured["Payload"].read())
    assert "FunctionError" not in measured, answer
    assert answer["ScheduledCounties"] >= 2
    assert answer["LateCounties"] == 0
    log = platform.data_dir / "logs" / "functions.log"
    recorded = [json.loads(line) for line in log.read_text().splitlines() if '"GoodSyncAge"' in line]
    assert {"king_wa", "lucas_oh"} <= {line["county_id"] for line in recorded}


def test_the_clock_seals_the_audit_trails_and_an_auditor_verifies_them(platform: Platform) -> None:
    sealed = local_client("lambda", platform.data_dir).invoke(FunctionName="terrafusion-dev-audit-seal", Payload=b"{}")
    answer = json.loads(sealed["Payload"].read())
    assert "FunctionError" not in sealed, answer
    with platform.signed_in("auditor") as client:
        for county_id in ("king_wa", "lucas_oh"):
            page = client.get(f"/v1/counties/{county_id}/audit-seals/verification").json()
            assert sum(verdict["events"] for verdict in page["items"]) > 0
            assert [verdict for verdict in page["items"] if not verdict["intact"]] == []


def test_an_address_takes_the_announced_file_once(platform: Platform) -> None:
    content = b"property_id,year_built\r\n1,1961\r\n"
    with platform.signed_in("itadmin") as client:
        body = {
            "filename": "list.csv",
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        send = client.post("/v1/counties/lucas_oh/uploads", json=body).json()["send"]
    sent = [
        httpx.put(send["url"], content=body, headers={**send["headers"], "Content-Length": str(len(body))}).status_code
        for body in (content + b"x", content[::-1], content, content)
    ]
    assert sent == [403, 400, 200, 412]  # another size, another content, the file, and the file again
    assert httpx.put(send["url"], content=content).status_code == 403  # without the headers that were signed
