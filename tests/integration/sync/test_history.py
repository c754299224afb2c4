"""The roll as of any day, and the comparison of two days' rolls."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from functions.properties.handler import handler
from shared.access import Role
from tests.gateway import Answer, call, claims_of
from tests.integration.sync.county import COUNTY, MAPPING, County

ONE = "/v1/counties/{county_id}/properties/{property_id}"
ROLL = "/v1/counties/{county_id}/roll-comparison"

IMPROVED = MAPPING.replace(
    "value_maps:",
    """  - source_table_name: building
    target_table_name: improvements
    primary_key_source_fields: [id]
    primary_key_target_fields: [improvement_id]
    field_map:
      - {source: id, target: improvement_id, type: string}
      - {source: parcel_id, target: property_id, type: string, transformations: [{type: pad_left, length: 6}]}
      - {source: area, target: area_sqft, type: decimal}
value_maps:""",
)

State = dict[str, dict[str, Any]]


def api(resource: str, *, role: Role = Role.AUDITOR, query: Mapping[str, str] | None = None, **path: str) -> Answer:
    claims = claims_of(role, [COUNTY])
    return call(handler, "GET", resource, path={"county_id": COUNTY, **path}, query=dict(query or {}), claims=claims)


def roll(county: County) -> State:
    """The live parcels."""
    rows = county.query(
        "SELECT property_id, property_class, total_value, year_built, version FROM properties_operational"
        " WHERE retired_at IS NULL"
    )
    return {
        row[0]: {"property_class": row[1], "total_value": row[2], "year_built": row[3], "version": row[4]}
        for row in rows
    }


def buildings(county: County) -> set[tuple[str, str, Decimal]]:
    return {
        (row[0], row[1], row[2])
        for row in county.query(
            "SELECT property_id, improvement_id, area_sqft FROM improvements WHERE retired_at IS NULL"
        )
    }


def some_changes(chance: random.Random) -> str:
    """A few parcels and buildings that come, go, return and change."""
    picked = [chance.randint(1, 60) for _ in range(4)]
    return ";".join(
        [
            f"UPDATE parcel SET value = '{chance.randint(1, 9)}' WHERE id IN ({picked[0]}, {picked[1]})",
            f"UPDATE parcel SET kept = NOT kept WHERE id IN ({picked[2]}, {picked[3]})",
            f"UPDATE parcel SET class = CASE class WHEN 'C' THEN 'R' ELSE 'C' END WHERE id = {picked[0]}",
            f"UPDATE building SET area = area + 1 WHERE parcel_id = {picked[1]}",
            f"DELETE FROM building WHERE parcel_id = {picked[2]}",
            f"INSERT INTO building SELECT {picked[3]}, {picked[3]}, 7 ON CONFLICT DO NOTHING",
        ]
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_is_as_it_was_and_any_two_days_differ_in_what_changed_between(county: County, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    county.change("DELETE FROM parcel WHERE id > 60; DELETE FROM sale")
    county.change("CREATE TABLE building (id integer PRIMARY KEY, parcel_id integer, area numeric(14, 2))")
    county.change("INSERT INTO building SELECT i, i, 100 + i FROM generate_series(1, 30) AS i")
    county.set_mapping(IMPROVED)
    county.configure(guards={"max_removed_share": 1})
    days: list[tuple[datetime, State, set[tuple[str, str, Decimal]]]] = []
    for _ in range(5):
        county.sync()
        days.append((datetime.now(UTC), roll(county), buildings(county)))
        county.change(some_changes(chance))

    for moment, parcels, standing in days:
        as_of = {"as_of": moment.isoformat()}
        for key in {f"{i:06}" for i in chance.sample(range(1, 61), 12)}:
            answer = api(ONE, query=as_of, property_id=key)
            if key in parcels:
                assert {name: answer.body[name] for name in ("property_class", "year_built", "version")} == {
                    name: parcels[key][name] for name in ("property_class", "year_built", "version")
                }
                assert Decimal(answer.body["total_value"]) == parcels[key]["total_value"]
                assert answer.body["retired_at"] is None
            else:  # retired then, or not there yet
                assert answer.status == 404 or answer.body["retired_at"] is not None
            shown = api(ONE + "/improvements", query=as_of, property_id=key)
            if shown.status == 200:
                assert {(item["improvement_id"], Decimal(item["area_sqft"])) for item in shown.body} == {
                    (item[1], item[2]) for item in standing if item[0] == key
                }
    for (first, before, _), (second, after, _) in combinations(days, 2):
        query = {"from": first.isoformat(), "to": second.isoformat()}
        _assert_compared(query, before, after)


def _assert_compared(query: dict[str, str], before: State, after: State) -> None:
    compared = api(ROLL, query=query).body
    for side, state in (("before", before), ("after", after)):
        assert compared[side]["parcels"] == len(state)
        assert Decimal(compared[side]["total_value"]) == sum(one["total_value"] for one in state.values())
    for shown in compared["property_classes"]:
        for side, state in (("before", before), ("after", after)):
            own = [one for one in state.values() if one["property_class"] == shown["property_class"]]
            assert shown[side]["parcels"] == len(own)
            assert Decimal(shown[side]["total_value"]) == sum((one["total_value"] for one in own), Decimal(0))
    listed: dict[str, dict[str, Any]] = {}
    token = None
    while True:
        page = api(ROLL + "/changes", query=query | {"page_size": "3"} | ({"page_token": token} if token else {})).body
        listed |= {item["property_id"]: item for item in page["items"]}
        token = page["next_page_token"]
        if token is None:
            break
    assert {key for key, item in listed.items() if item["change"] in ("added", "returned")} == after.keys() - before
    assert {key for key, item in listed.items() if item["change"] == "removed"} == before.keys() - after
    compared_fields = ("property_class", "total_value", "year_built")
    expected = {
        key: {name for name in compared_fields if before[key][name] != after[key][name]}
        for key in before.keys() & after
    }
    changed = {key: set(item["fields"]) for key, item in listed.items() if item["change"] == "changed"}
    assert changed == {key: fields for key, fields in expected.items() if fields}
    assert sum(compared["changes"].values()) == len(listed)


def test_versions_say_when_they_held_whose_doing_they_were_and_what_they_changed(county: County) -> None:
    county.change("CREATE TABLE building (id integer PRIMARY KEY, parcel_id integer, area numeric(14, 2))")
    county.change("INSERT INTO building VALUES (1, 42, 100)")
    county.set_mapping(IMPROVED)
    first, _ = county.sync()
    county.change("UPDATE building SET area = 120; UPDATE parcel SET kept = false WHERE id = 42")
    second, _ = county.sync()
    county.change("DELETE FROM building; UPDATE parcel SET kept = true WHERE id = 42")
    county.configure(guards={"max_removed_share": 1})
    third, _ = county.sync()

    (building,) = api(ONE + "/improvements/history", property_id="000042").body
    versions = building["versions"]
    assert [item["sync_run_id"] for item in versions] == [third, second, first]
    assert [item["retired"] for item in versions] == [True, False, False]
    assert versions[1]["changes"] == {"area_sqft": {"old": "100.00", "new": "120.00"}}
    assert [item["valid_to"] for item in versions] == [None, versions[0]["valid_from"], versions[1]["valid_from"]]
    parcel = api(ONE + "/history", property_id="000042").body
    assert [(item["sync_run_id"], item["retired"]) for item in parcel] == [
        (third, False),
        (second, True),
        (first, False),
    ]
    assert api(ONE + "/improvements", property_id="000042").body == []
    assert api(ONE + "/improvements", property_id="no such").status == 404


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "2026-01-02", "to": "2026-01-01"}, "/query/from"),
        ({"from": "2026-01-01", "to": "2099-01-01"}, "/query/to"),
        ({"from": "2026-01-01"}, "/query/to"),
        ({"from": "yesterday", "to": "2026-01-01"}, "/query/from"),
    ],
)
def test_days_that_cannot_be_compared_are_refused_with_their_place(
    county: County, query: dict[str, str], pointer: str
) -> None:
    refused = api(ROLL, query=query)

    assert refused.status == 422
    assert refused.body["errors"][0]["pointer"].startswith(pointer)
