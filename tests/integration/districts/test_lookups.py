"""Lookups by place, by address and by parcel, and the parcels of a district."""

from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import insert, update

from functions.districts.handler import handler
from functions.districts.tasks.index_addresses import index_addresses
from functions.properties.handler import handler as properties
from shared.db import unit_of_work
from shared.db.models import PropertyOperational
from tests.district_county import (
    LAYER,
    SOUTH,
    STEP,
    WEST,
    geojson,
    grid,
    ids_at,
    loaded,
    look_up,
    partition_of_the_plane,
    send,
)
from tests.gateway import Answer, LambdaContext, call
from tests.integration.evidence_county import COUNTY, PROVENANCE

pytestmark = pytest.mark.usefixtures("county")
MIDDLE = {"longitude": WEST + STEP / 2, "latitude": SOUTH + STEP / 2}


def add_parcels(*parcels: dict[str, Any], index: bool = True) -> None:
    """Parcels, and their addresses in the index."""
    names = {name: None for parcel in parcels for name in parcel}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(PropertyOperational),
            [{**names, "county_id": COUNTY, **PROVENANCE, **parcel} for parcel in parcels],
        )
    if index:
        index_addresses({"detail": {"county_id": COUNTY}}, LambdaContext())


def parcel(property_id: str, address: str, city: str = "Bend", **values: Any) -> dict[str, Any]:
    return {"property_id": property_id, "situs_address": address, "situs_city": city, **MIDDLE, **values}


def of_property(property_id: str) -> list[dict[str, Any]]:
    path = "/v1/counties/{county_id}/properties/{property_id}/districts"
    answer = call(handler, "GET", path, path={"county_id": COUNTY, "property_id": property_id})
    assert answer.status == 200, answer.body
    return list(answer.body["layers"])


def parcels_of(district_id: str, layer: str = "fire", **query: str) -> Answer:
    names = {"county_id": COUNTY, "layer": layer}
    return call(handler, "GET", LAYER + "/parcels", path=names, query={"district_id": district_id, **query})


def test_every_point_lies_in_one_district_of_a_partition_as_shapely_says() -> None:
    districts = partition_of_the_plane(60, seed=7)
    send(geojson(districts))
    results = loaded()
    assert results["topology"]["gap_count"] == 0

    points = np.random.default_rng(1).uniform((WEST - 0.05, SOUTH - 0.05), (WEST + 0.55, SOUTH + 0.55), (200, 2))
    for longitude, latitude in points.tolist():
        point = shapely.Point(longitude, latitude)
        expected = [id_ for id_, shape in districts.items() if shape.contains(point)]
        assert ids_at(longitude, latitude) == expected


def test_a_point_between_districts_is_in_the_first_by_identifier_and_said_to_be_on_the_boundary() -> None:
    send(geojson(grid()))
    loaded()
    corner = look_up(longitude=WEST + STEP, latitude=SOUTH + STEP).body["layers"][0]

    assert [(one["district_id"], one["on_boundary"]) for one in corner["districts"]] == [("D00", True)]
    assert ids_at(WEST + STEP, SOUTH + STEP / 2) == ["D00"]
    assert ids_at(WEST + 2 * STEP, SOUTH + STEP) == ["D01"]


def test_overlapping_districts_are_all_given_and_a_place_outside_says_so() -> None:
    send(geojson({"A": shapely.box(WEST, SOUTH, WEST + 1, SOUTH + 1), "B": shapely.box(WEST, SOUTH, WEST + 2, 48)}))
    loaded()

    assert ids_at(WEST + 0.5, SOUTH + 0.5) == ["A", "B"]
    outside = look_up(longitude=0, latitude=0).body["layers"][0]
    assert (outside["outside"], outside["districts"]) == (True, [])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"longitude": 181, "latitude": 0}, 422),
        ({"longitude": -180.001, "latitude": 0}, 422),
        ({"longitude": 0, "latitude": 90.5}, 422),
        ({"longitude": "nan", "latitude": 0}, 422),
        ({"longitude": 0}, 422),
        ({}, 422),
        ({"longitude": 0, "latitude": 0, "address": "1 Main St"}, 422),
        ({"longitude": 0, "latitude": 0, "layers": "nothing"}, 404),
        ({"longitude": 0, "latitude": 0, "date": "2024-02-30"}, 422),
        ({"longitude": 180, "latitude": 90}, 200),
        ({"address": "...."}, 422),
        ({"address": "1 Main St"}, 409),
    ],
)
def test_a_lookup_that_cannot_be_answered_says_why(query: dict[str, Any], status: int) -> None:
    assert look_up(**query).status == status


def test_an_address_is_found_however_it_is_written() -> None:
    send(geojson(grid()))
    loaded()
    add_parcels(
        parcel("P1", "123 N Main St", situs_zip="97701"),
        parcel("P2", "123 S Main St", situs_zip="97701"),
        parcel("P3", "125 N Main St"),
        parcel("P4", "500 NE Martin Luther King Jr Blvd", "Redmond"),
        parcel("P5", "77 SW 45th Ave Apt 4"),
        parcel("P6", "77 SW 45th Ave Apt 5"),
        parcel("P7", "9 Saint Helens Ct"),
    )
    for text, expected in {
        "123 North Main Street": "P1",
        "123 n. main st., bend, or 97701-1234": "P1",
        "123 S MIAN STREET": "P2",
        "BEND, 123 S MAIN": "P2",
        "main st n 125": "P3",
        "512 N Main St": None,
        "152 N Main St": "P3",
        "500 Martin Luther King Junior Boulevard Northeast Redmond": "P4",
        "500 NE Martn Luthr King Blvd": "P4",
        "77 sw 45th avenue #5": "P6",
        "77 SW 45TH AVE UNIT 4": "P5",
        "9 st helens court": "P7",
        "9 St. Helen's Ct": "P7",
    }.items():
        answer = look_up(address=text)
        found = answer.body["match"]["property_id"] if answer.status == 200 else None
        assert found == expected, text
        if expected:
            assert answer.body["layers"][0]["districts"][0]["district_id"] == "D00"


def test_an_address_that_ten_properties_have_is_ambiguous_and_one_that_none_has_is_not_found() -> None:
    send(geojson(grid()))
    loaded()
    add_parcels(*(parcel(f"P{number:02}", f"10 {direction} Oak St") for number, direction in enumerate("NSEW")),
                *(parcel(f"Q{number:02}", "7 Elm Way", f"City {number}") for number in range(12)))  # fmt: skip
    elm = look_up(address="7 Elm Way").body

    assert elm["ambiguous"]
    assert elm["match"]["property_id"] == "Q00"
    assert len(elm["alternatives"]) == 10
    assert {other["score"] for other in elm["alternatives"]} == {elm["match"]["score"]}
    named = look_up(address="7 Elm Way, City 3").body
    assert (named["match"]["property_id"], named["ambiguous"]) == ("Q03", False)
    assert look_up(address="10 Oak St").body["ambiguous"]
    missing = look_up(address="4711 Zzyzx Rd")
    assert (missing.status, missing.body["type"]) == (404, "urn:terrafusion:problem:address-not-found")


def test_a_property_without_coordinates_is_named_and_has_no_districts() -> None:
    send(geojson(grid()))
    loaded()
    add_parcels(parcel("P1", "5 Elm Way", longitude=None, latitude=None))
    answer = look_up(address="5 Elm Way")

    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:property-without-coordinates")
    assert "P1" in answer.body["detail"]
    assert of_property("P1") == []


def test_the_index_follows_corrections_retirements_and_syncs() -> None:
    send(geojson(grid()))
    loaded()
    add_parcels(parcel("P1", "5 Elm Way"), parcel("P2", "5 Oak Way"))
    names = {"county_id": COUNTY, "property_id": "P1"}
    corrected = call(properties, "PATCH", "/v1/counties/{county_id}/properties/{property_id}", path=names,
                     body={"situs_address": "5 Walnut Way"}, headers={"If-Match": "*"})  # fmt: skip
    assert corrected.status == 200
    assert look_up(address="5 Walnut Way").body["match"]["score"] == 1

    with unit_of_work(COUNTY) as connection:
        retired = update(PropertyOperational).where(PropertyOperational.property_id == "P2")
        connection.execute(retired.values(retired_at=PROVENANCE["valid_from"]))
    assert look_up(address="5 Oak Way").status == 404
    assert index_addresses({"detail": {"county_id": COUNTY}}, LambdaContext()) == {"addresses": 1}
    assert index_addresses({"detail": {"county_id": COUNTY}}, LambdaContext()) == {"addresses": 1}


def test_shares_of_a_parcel_sum_to_one_and_slivers_are_dropped_with_their_share_said() -> None:
    send(geojson(grid()))
    loaded()
    x, y = WEST + STEP, SOUTH + STEP / 2
    add_parcels(
        {"property_id": "SPLIT", "geometry": shapely.box(x - 0.003, y, x + 0.001, y + 0.001).wkb},
        {"property_id": "SLIVER", "geometry": shapely.box(x - 0.001, y, x + 0.000002, y + 0.001).wkb},
        {"property_id": "EDGE", "geometry": shapely.box(WEST - 0.001, y, WEST + 0.001, y + 0.001).wkb},
        {"property_id": "POINT", "longitude": x, "latitude": y},
        index=False,
    )
    split, sliver, edge, point = (of_property(name)[0] for name in ("SPLIT", "SLIVER", "EDGE", "POINT"))

    assert [(one["district_id"], round(one["share"], 6)) for one in split["districts"]] == [
        ("D00", 0.75),
        ("D01", 0.25),
    ]
    assert [one["district_id"] for one in sliver["districts"]] == ["D00"]
    assert sliver["dropped_share"] == pytest.approx(0.002, rel=0.01)
    assert edge["outside_share"] == pytest.approx(0.5)
    assert (point["basis"], point["districts"][0]["share"]) == ("point", 1.0)
    for layer in (split, sliver, edge, point):
        total = sum(one["share"] for one in layer["districts"]) + layer["outside_share"]
        assert total == pytest.approx(1, abs=1e-9)


def test_the_parcels_of_a_district_are_paged_and_are_those_whose_point_lies_in_it() -> None:
    districts = partition_of_the_plane(12, seed=3)
    send(geojson(districts))
    loaded()
    points = np.random.default_rng(2).uniform((WEST, SOUTH), (WEST + 0.5, SOUTH + 0.5), (300, 2)).tolist()
    add_parcels(
        *({"property_id": f"P{n:03}", "longitude": x, "latitude": y} for n, (x, y) in enumerate(points)), index=False
    )
    by_district: dict[str, list[str]] = {}
    for district_id in districts:
        ids: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = parcels_of(district_id, page_size="7", **token)
            assert page.status == 200, page.body
            ids += [item["property_id"] for item in page.body["items"]]
            if not page.body.get("next_page_token"):
                break
            token = {"page_token": page.body["next_page_token"]}
        by_district[district_id] = ids

    for district_id, shape in districts.items():
        expected = [f"P{n:03}" for n, (x, y) in enumerate(points) if shape.intersects(shapely.Point(x, y))]
        assert by_district[district_id] == expected
    assert sum(map(len, by_district.values())) == 300
    assert parcels_of("nothing").status == 404
    assert parcels_of("V001", "nothing").status == 404
