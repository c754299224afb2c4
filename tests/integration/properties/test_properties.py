"""Properties, from outside: events in, answers out, on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pg8000.core
import pytest
from sqlalchemy import insert, text

from functions.properties.handler import handler
from functions.properties.repository import parcels
from functions.properties.service import parcels as service
from shared.access import Role
from shared.db import driver, unit_of_work
from shared.db.models import County, PropertyOperational, Sale
from shared.precedence.overrides import Decision
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of

LIST = "/v1/counties/{county_id}/properties"
ONE = "/v1/counties/{county_id}/properties/{property_id}"
LOADED = datetime.now(UTC) - timedelta(days=30)
PROVENANCE = {"source_system": "TEST", "row_hash": "h", "version": 1, "valid_from": LOADED}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(
            insert(County).values(county_id="king_wa", friendly_name="King", configuration={}, mapping="", version=1)
        )
        connection.execute(
            insert(PropertyOperational),
            [
                {
                    "county_id": "king_wa",
                    "property_id": f"P{i:03}",
                    "parcel_number": f"{i:010}",
                    "situs_address": f"{100 + i} {'Main' if i % 2 else 'Oak'} St",
                    "neighborhood": "98001" if i < 5 else "98002",
                    "property_class": "residential",
                    "longitude": -122.0 - i / 100,
                    "latitude": 47.0 + i / 100,
                    "living_area_sqft": 1000 + i,
                    "total_value": 100_000 + i,
                    "retired_at": LOADED if i == 9 else None,
                    **PROVENANCE,
                }
                for i in range(10)
            ],
        )
        connection.execute(
            insert(Sale),
            [
                {
                    "county_id": "king_wa",
                    "sale_id": f"S{i}",
                    "property_id": "P001",
                    "sale_date": datetime(2015, i, 1, tzinfo=UTC).date(),
                    "sale_price": 200_000,
                    "validity_code": "valid",
                    **PROVENANCE,
                }
                for i in (1, 3, 2)
            ],
        )


def get(resource: str, property_id: str | None = None, query: dict[str, str] | None = None, **options: Any) -> Answer:
    path = {"county_id": "king_wa"} | ({"property_id": property_id} if property_id else {})
    return call(handler, "GET", resource, path=path, query=query, **options)


def patch(property_id: str, body: object, if_match: str | None = '"1"', **options: Any) -> Answer:
    return call(
        handler,
        "PATCH",
        ONE,
        path={"county_id": "king_wa", "property_id": property_id},
        body=body,
        headers={"If-Match": if_match} if if_match else {},
        **options,
    )


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["property_id"] for item in answer.body["items"]]


def test_paging_visits_every_property_once_and_in_order() -> None:
    seen: list[str] = []
    token = None
    while True:
        answer = get(LIST, query={"page_size": "4"} | ({"page_token": token} if token else {}))
        seen += ids(answer)
        token = answer.body["next_page_token"]
        if token is None:
            break

    assert seen == [f"P{i:03}" for i in range(9)]


def test_a_token_of_another_query_is_refused() -> None:
    token = get(LIST, query={"page_size": "2"}).body["next_page_token"]

    answer = get(LIST, query={"page_token": token, "neighborhood": "98001"})

    assert (answer.status, answer.body["type"]) == (400, "urn:terrafusion:problem:page-token-of-another-query")


@pytest.mark.parametrize("token", ["", "x", "AAAA", "W10", "bnVsbA"])
def test_a_broken_token_is_refused(token: str) -> None:
    assert get(LIST, query={"page_token": token}).status == 400


def test_filters_and_free_text_must_all_hold() -> None:
    assert ids(get(LIST, query={"neighborhood": "98001", "q": "main st"})) == ["P001", "P003"]
    assert ids(get(LIST, query={"parcel_number": "0000000007"})) == ["P007"]
    assert ids(get(LIST, query={"q": "100%"})) == []


def test_a_window_finds_what_lies_in_it() -> None:
    assert ids(get(LIST, query={"bbox": "-122.035,47.0,-122.005,47.1"})) == ["P001", "P002", "P003"]


def test_updated_since_finds_only_newer_versions() -> None:
    later = (LOADED + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    patch("P002", {"condition": "Good"})

    assert ids(get(LIST, query={"updated_since": later})) == ["P002"]


def test_an_oversized_page_is_lowered_not_refused() -> None:
    assert get(LIST, query={"page_size": "100000"}).status == 200


def test_retired_properties_are_listed_only_when_asked_for_and_stay_readable() -> None:
    assert "P009" in ids(get(LIST, query={"include_retired": "true"}))
    assert get(ONE, "P009").body["retired_at"] is not None


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ({"bbox": "-122,48,-121,47"}, 422, "bbox-invalid"),
        ({"bbox": "1,2,3"}, 422, "bbox-invalid"),
        ({"bbox": "nan,0,1,1"}, 422, "bbox-invalid"),
        ({"bbox": "0,0,500,1"}, 422, "bbox-invalid"),
        ({"page_size": "0"}, 422, "validation"),
        ({"page_size": "many"}, 422, "validation"),
        ({"updated_since": "yesterday"}, 422, "validation"),
        ({"neighbourhood": "98001"}, 400, "unknown-parameter"),
        *(
            ({"bbox": box}, 422, "bbox-invalid")
            for box in ("1_0,2,3,4", " 1,2,3,4", "1e0,2,3,4", "nan,nan,nan,nan", "1,2,3")
        ),
        ({"q": "a\x00b"}, 422, "nul-character"),
    ],
)
def test_a_bad_query_is_a_problem_of_its_own(query: dict[str, str], status: int, slug: str) -> None:
    answer = get(LIST, query=query)

    assert (answer.status, answer.body["type"]) == (status, f"urn:terrafusion:problem:{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["request_id"] == "request-1"


def test_one_property_carries_its_version_as_etag() -> None:
    answer = get(ONE, "P001")

    assert answer.status == 200
    assert answer.headers["etag"] == '"1"'
    assert (answer.body["living_area_sqft"], answer.body["total_value"]) == ("1001.00", "100001.00")


def test_one_property_costs_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    get(ONE, "P001")  # prepares the statement
    trips = 0

    def counted(sock: Any) -> None:
        nonlocal trips
        trips += 1
        sock.flush()

    for module in (driver, pg8000.core):
        monkeypatch.setattr(module, "_flush", counted)
    answer = get(ONE, "P002")

    assert answer.body["property_id"] == "P002"
    assert trips == 1


def test_a_correction_that_waited_for_another_one_comes_after_it(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as early:
        early.scalar(text("SELECT now()"))  # the transaction's time from here on
        patch("P001", {"condition": "Good"})
        parcels.supersede(early, "king_wa", "P001", {"condition": "Fair"}, Decision(uuid4(), "edit", "somebody"))

    history = get(ONE + "/history", "P001").body
    spans = [(version["valid_from"], version["valid_to"]) for version in reversed(history)]
    assert [version["version"] for version in history] == [3, 2, 1]
    assert all(begin < end for begin, end in spans[:-1])
    assert [end for _, end in spans[:-1]] == [begin for begin, _ in spans[1:]]


def test_a_correction_of_what_a_sync_is_writing_is_told_to_come_again(
    database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_PATIENCE_S", 1)
    with unit_of_work("king_wa") as writing:
        parcels.supersede(writing, "king_wa", "P001", {"condition": "Fair"}, Decision(uuid4(), "edit", "somebody"))
        answer = patch("P001", {"condition": "Good"})

    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:property-busy")
    assert get(ONE, "P001").body["condition"] == "Fair"


def test_as_of_reads_the_version_of_that_day() -> None:
    patch("P001", {"condition": "Good"})
    today = datetime.now(UTC).date()

    assert get(ONE, "P001", {"as_of": (today - timedelta(days=1)).isoformat()}).body["condition"] is None
    assert get(ONE, "P001", {"as_of": today.isoformat()}).body["condition"] == "Good"
    assert get(ONE, "P001").body["condition"] == "Good"


def test_as_of_before_the_first_version_finds_nothing_and_in_the_future_is_refused() -> None:
    assert get(ONE, "P001", {"as_of": "2001-01-01"}).status == 404
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    answer = get(ONE, "P001", {"as_of": tomorrow})
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:as-of-in-the-future")


def test_a_correction_makes_a_version_keeps_the_old_one_and_is_audited() -> None:
    answer = patch("P001", {"condition": "Good", "living_area_sqft": "1500.5"})

    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    versions = get(ONE + "/history", "P001").body
    assert [v["version"] for v in versions] == [2, 1]
    assert versions[0]["changes"] == {
        "condition": {"old": None, "new": "Good"},
        "living_area_sqft": {"old": "1001.00", "new": "1500.50"},
    }
    assert versions[1]["valid_to"] == versions[0]["valid_from"]
    with unit_of_work("king_wa") as connection:
        event = connection.execute(text("SELECT actor, action, subject, old, new FROM audit_events")).one()
    assert (event.actor, event.action, event.subject) == ("somebody", "property.edited", "properties/P001")
    assert event.old == {"condition": None, "living_area_sqft": "1001.00"}
    assert event.new == {"condition": "Good", "living_area_sqft": "1500.5"}


@pytest.mark.parametrize(
    ("if_match", "status"), [(None, 428), ('"7"', 412), ("1", 412), ('W/"1"', 412), ('"x"', 412), ('"²"', 412)]
)
def test_a_correction_needs_the_etag_of_what_is_there(if_match: str | None, status: int) -> None:
    assert patch("P001", {"condition": "Good"}, if_match).status == status
    assert get(ONE, "P001").body["version"] == 1


def test_a_correction_that_changes_nothing_makes_no_version() -> None:
    assert patch("P001", {"neighborhood": "98001"}).headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ("{", 400, None),
        ("[" * 100_000, 400, None),
        ('{"condition": "a\\u0000"}', 422, "/body/condition"),
        ([], 422, "/body"),
        ({}, 422, "/body"),
        ({"total_value": "1"}, 422, "/body/total_value"),
        ({"bedrooms": "many"}, 422, "/body/bedrooms"),
        ({"bedrooms": -1, "latitude": 91}, 422, "/body/latitude"),
        ({"longitude": "NaN"}, 422, "/body/longitude"),
        ({"year_built": 10**30}, 422, "/body/year_built"),
    ],
)
def test_a_bad_body_is_refused_with_its_place(body: object, status: int, pointer: str | None) -> None:
    answer = patch("P001", body)

    assert answer.status == status, answer.body
    if pointer is not None:
        assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_a_body_of_another_media_type_is_refused() -> None:
    answer = call(
        handler,
        "PATCH",
        ONE,
        path={"county_id": "king_wa", "property_id": "P001"},
        body="<a/>",
        headers={"content-type": "text/xml", "if-match": '"1"'},
    )
    assert answer.status == 415


def test_sales_come_newest_first() -> None:
    assert [sale["sale_date"] for sale in get(ONE + "/sales", "P001").body] == [
        "2015-03-01",
        "2015-02-01",
        "2015-01-01",
    ]
    assert get(ONE + "/sales", "P002").body == []
    assert get(ONE + "/sales", "nothing").status == 404


def test_another_tenants_county_is_forbidden_and_one_that_is_not_onboarded_is_not_found() -> None:
    other = call(handler, "GET", LIST, path={"county_id": "lucas_oh"})
    unknown = call(handler, "GET", LIST, path={"county_id": "nowhere_wa"}, claims=claims_of(counties=["nowhere_wa"]))

    assert (other.status, other.body["type"]) == (403, "urn:terrafusion:problem:county-not-permitted")
    assert (unknown.status, unknown.body["type"]) == (404, "urn:terrafusion:problem:county-not-found")


def test_the_handler_itself_refuses_what_the_role_may_not_do() -> None:
    answer = patch("P001", {"condition": "Good"}, claims=claims_of(Role.AUDITOR))
    assert (answer.status, answer.body["type"]) == (403, "urn:terrafusion:problem:permission-missing")


def test_a_permission_that_the_county_withholds_is_refused_there() -> None:
    claims = claims_of(Role.ASSESSOR) | {"withheld": '{"king_wa": ["edit_property"]}'}
    answer = patch("P001", {"condition": "Good"}, claims=claims)
    assert (answer.status, answer.body["type"]) == (403, "urn:terrafusion:problem:permission-withheld")
