"""Reports of one property, of what is in the database."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from shared.db import unit_of_work
from shared.db.models import Assessment, Owner, PropertyOperational, history_table
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county, add_parcel, add_sale
from tests.integration.reporting.reports import made, request
from tests.job_cloud import job_cloud
from tests.unit.reporting.example_property import lot

__all__ = ["job_cloud"]

SECRET = "Mary Protected"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    """Parcel P1 among its neighbors, with a confidential owner, two roll years, a decided sale and a former version."""
    add_county()
    for column in range(3):
        parcel = lot(column, 0, property_id=f"P{column}")
        longitude, latitude = parcel.position
        add_parcel(property_id=f"P{column}", geometry=parcel.geometry, longitude=longitude, latitude=latitude)
    add_sale(sale_id="S1", property_id="P1", validity_code="unverified")
    own: dict[str, Any] = {"county_id": COUNTY, "property_id": "P1", **PROVENANCE}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Owner),
            [
                {**own, "owner_id": "1", "name": SECRET, "mailing_address": "1 Hidden Lane", "confidential": True},
                {**own, "owner_id": "2", "name": "Bob Open", "mailing_address": "2 Main St", "confidential": None},
            ],
        )
        connection.execute(
            insert(Assessment),
            [
                {**own, "assessment_id": str(year), "roll_year": year, "total_value": Decimal(100_000 + year)}
                for year in (2024, 2025)
            ],
        )
        current = (
            connection.execute(PropertyOperational.__table__.select().where(PropertyOperational.property_id == "P1"))
            .mappings()
            .one()
        )
        former = {name: value for name, value in current.items() if name != "location"}
        ended = {"valid_from": datetime(2025, 1, 1, tzinfo=UTC), "valid_to": current["valid_from"]}
        connection.execute(
            insert(history_table(PropertyOperational)), [{**former, "version": 0, "quality": "poor", **ended}]
        )


def card() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(made("property_record_card", "json", {"property_id": "P1"}))
    return document


def test_a_card_has_the_propertys_record_and_what_changed_in_it() -> None:
    record = card()["property"]
    assert [(value["roll_year"], value["total_value"]) for value in record["values"]] == [
        (2025, "102025.00"),
        (2024, "102024.00"),
    ]
    assert record["change"] == {
        "roll_year": 2025,
        "previous_roll_year": 2024,
        "total_value": "1.00",
        "total_value_percent": "0.0",
    }
    assert [(sale["sale_id"], sale["validity"]) for sale in record["sales"]] == [("S1", "unverified")]
    (change,) = record["history"]
    assert (change["field"], change["before"]) == ("quality", "poor")


@pytest.mark.parametrize("format_", ["html", "json"])
def test_a_confidential_owner_is_on_no_card(format_: str) -> None:
    owners = card()["property"]["owners"]
    assert [(owner["name"], owner["mailing"], owner["withheld"]) for owner in owners] == [
        (None, None, True),
        ("Bob Open", "2 Main St", False),
    ]
    content = made("property_record_card", format_, {"property_id": "P1"})
    assert SECRET.encode() not in content
    assert b"Hidden Lane" not in content


def test_the_map_shows_the_parcel_among_its_neighbors() -> None:
    text = made("property_record_card", "html", {"property_id": "P1"}).decode()
    assert "2 parcels around it" in text
    assert text.count('fill-rule="evenodd"') == 3


def test_an_unknown_property_is_refused_with_its_place() -> None:
    answer = request("property_record_card", "pdf", {"property_id": "NONE"})
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:property-not-found")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/body/parameters/property_id"]
