"""Ids of any letters: what a county calls a parcel or a sale can be read, edited and decided on by that name."""

import importlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import insert

from functions.properties.handler import handler as properties
from functions.sales_validation.handler import handler as sales
from functions.valuation.handler import handler as valuation
from functions.valuation.service import comparables_models
from infra.functions import REGISTRY
from shared.db import unit_of_work
from shared.db.models import Assessment
from tests.conftest import MigratedDatabase
from tests.gateway import call
from tests.integration.evidence_county import COUNTY, add_county, add_evidence, add_parcel, add_sale

IDS = [
    "a/b",
    "a%2Fb",
    "?",
    "#",
    "`",
    '"',
    "'",
    "100%",
    "a b",
    " a ",
    "🏠",
    "Ñandú",
    "a+b&c=d",
    "...",
    "x" * 200,
    "\\",
    "{x}",
]


@pytest.fixture
def county(database: MigratedDatabase) -> None:
    add_county()
    for each in IDS:
        add_parcel(property_id=each)
        add_sale(sale_id=each, property_id=each)
        assessment = {"county_id": COUNTY, "assessment_id": each, "property_id": each, "roll_year": 2025}
        synced = {"source_system": "T", "row_hash": "", "version": 1, "valid_from": datetime.now(UTC)}
        with unit_of_work(COUNTY) as connection:
            connection.execute(insert(Assessment).values(**assessment, **synced, total_value=1))


def routes_of(parameter: str) -> list[tuple[Any, str]]:
    """Every GET of the API whose path has only this parameter below the county's."""
    return [
        (api.handler, route.path)
        for api in (importlib.import_module(spec.module_path).api for spec in REGISTRY.api)
        for route in api.routes
        if route.method == "GET" and f"{{{parameter}}}" in route.path and route.path.count("{") == 2
    ]


def test_every_route_of_a_property_reaches_it_by_any_id(county: None) -> None:
    routes = routes_of("property_id")
    assert len(routes) >= 5
    for property_id in IDS:
        path = {"county_id": COUNTY, "property_id": property_id}
        for handler, route in routes:
            query = {"roll_year": "2025"} if route.endswith("/taxable-value") else None
            assert call(handler, "GET", route, path=path, query=query).status == 200, (route, property_id)
        one = "/v1/counties/{county_id}/properties/{property_id}"
        assert call(properties, "GET", one, path=path).body["property_id"] == property_id
        edited = call(properties, "PATCH", one, path=path, body={"condition": "Good"}, headers={"If-Match": '"1"'})
        assert (edited.status, edited.body["property_id"]) == (200, property_id)


def test_a_sale_is_decided_on_by_any_id_and_the_answer_leads_back_to_it(county: None) -> None:
    routes = routes_of("sale_id")
    for sale_id in IDS:
        path = {"county_id": COUNTY, "sale_id": sale_id}
        decisions = "/v1/counties/{county_id}/sales-flags/{sale_id}/decisions"
        decided = call(sales, "POST", decisions, path=path, body={"decision": "valid", "note": "looked at"})
        assert decided.status == 201, (sale_id, decided.body)
        assert decided.headers["location"].isascii()
        prefix, _, sent = decided.headers["location"].rpartition("/")
        assert (prefix, unquote(sent)) == (f"/v1/counties/{COUNTY}/sales-flags", sale_id)
        for handler, route in routes:
            assert call(handler, "GET", route, path=path).status == 200, (route, sale_id)


def test_a_property_of_any_id_is_valued_and_its_value_read(database: MigratedDatabase) -> None:
    comparables_models.clear_caches()
    add_county()
    add_evidence()
    every = "/v1/counties/{county_id}/valuations"
    for property_id in IDS:
        add_parcel(property_id=property_id)
        made = call(
            valuation,
            "POST",
            every,
            path={"county_id": COUNTY},
            body={"property_id": property_id, "valuation_date": "2023-10-01"},
        )
        assert (made.status, made.body["property_id"]) == (201, property_id), made.body
        body = {"county_id": COUNTY, "valuation_id": made.body["valuation_id"]}
        assert made.headers["location"] == f"/v1/counties/{COUNTY}/valuations/{body['valuation_id']}"
        read = call(valuation, "GET", every + "/{valuation_id}", path=body)
        assert (read.status, read.body) == (200, made.body)
