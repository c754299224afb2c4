"""Exactly the changes that were shown are applied, or none."""

import random
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from functions.properties.repository import parcels
from shared.db import unit_of_work
from shared.precedence.overrides import Decision
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.test_approval import ONE, api

Row = dict[str, Any]
FIELDS = ("parcel_number", "property_class", "year_built", "total_value")


def roll(county: County) -> dict[str, Row]:
    rows = county.query(f"SELECT property_id, {', '.join(FIELDS)} FROM properties_operational WHERE retired_at IS NULL")
    return {row[0]: dict(zip(FIELDS, row[1:], strict=True)) for row in rows}


def every_change(run_id: str, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = api("GET", ONE + "/changes", run_id, query={"page_size": "7", **query, **token}).body
        items += page["items"]
        if page["next_page_token"] is None:
            return items
        token = {"page_token": page["next_page_token"]}


def applied_to(before: dict[str, Row], changes: list[dict[str, Any]]) -> dict[str, Row]:
    """The roll with the shown changes made to it."""
    after = {key: dict(row) for key, row in before.items()}
    for change in changes:
        if change["table"] != "properties_operational":
            continue
        if change["change"] == "removed":
            del after[change["key"]]
            continue
        row = after.setdefault(change["key"], dict.fromkeys(FIELDS))
        for field in change["fields"]:
            if field["field"] in FIELDS:
                new = field["new"]
                row[field["field"]] = Decimal(new) if field["field"] == "total_value" and new is not None else new
    return after


def some_changes(chance: random.Random) -> str:
    ids = [chance.randint(1, 300) for _ in range(8)]
    return ";".join(
        [
            f"UPDATE parcel SET value = '{chance.randint(1, 99)}' WHERE id IN ({ids[0]}, {ids[1]}, {ids[2]})",
            f"UPDATE parcel SET class = 'C' WHERE id IN ({ids[2]}, {ids[3]})",
            f"UPDATE parcel SET kept = NOT kept WHERE id IN ({ids[4]}, {ids[5]})",
            f"UPDATE parcel SET built = 'bad' WHERE id = {ids[6]}",
            f"INSERT INTO parcel (id, pin, class, built, value) VALUES ({300 + ids[7]}, 'N', 'R', '2001', '12')",
            f"DELETE FROM sale WHERE parcel_id = {ids[0]}",
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_an_approved_run_makes_of_the_roll_what_it_showed(county: County, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    county.sync()
    county.change(some_changes(chance))
    county.sync()
    county.change(some_changes(chance))
    before = roll(county)
    run_id, outcome = county.sync(validate_only=True)
    assert outcome == "awaiting_approval"
    shown = every_change(run_id)
    summary = api("GET", ONE + "/changes/summary", run_id).body
    county.change(some_changes(chance))  # the source goes on; what was shown stands

    assert roll(county) == before
    assert api("POST", ONE + "/approve", run_id).status == 202
    county.finish(run_id)

    expected = applied_to(before, shown)
    assert roll(county) == expected
    # an added row's empty fields and a removed one's are not in the history's words, and all else is
    kept = [item for item in shown if item["change"] == "changed"]
    assert [item for item in every_change(run_id) if item["change"] == "changed"] == kept
    assert api("GET", ONE + "/changes/summary", run_id).body == summary
    for side, state in (("before", before), ("after", expected)):
        assert summary[side]["parcels"] == len(state)
        assert Decimal(summary[side]["total_value"]) == sum(row["total_value"] for row in state.values())
        for item in summary["property_classes"]:
            own = [row for row in state.values() if row["property_class"] == item["property_class"]]
            assert Decimal(item[side]["total_value"]) == sum((row["total_value"] for row in own), Decimal(0))
    for table, counts in summary["tables"].items():
        by_change = {name: len(every_change(run_id, table=table, change=name)) for name in ("added", "changed")}
        assert by_change == {name: counts[name] for name in by_change}


@pytest.mark.parametrize("is_shown", [True, False])
def test_an_edit_of_a_shown_row_refuses_the_approval_and_any_other_edit_stands(county: County, is_shown: bool) -> None:
    chance = random.Random(3)  # noqa: S311 - a test's dice
    county.sync()
    county.change(some_changes(chance))
    run_id, _ = county.sync(validate_only=True)
    shown = {item["key"] for item in every_change(run_id, table="properties_operational")}
    edited = chance.choice(sorted(key for key in roll(county) if (key in shown) == is_shown))
    with unit_of_work(COUNTY) as connection:
        parcels.supersede(connection, COUNTY, edited, {"quality": "by hand"}, Decision(uuid4(), "edit", "somebody"))
    before = roll(county)

    approved = api("POST", ONE + "/approve", run_id)

    if is_shown:
        assert (approved.status, approved.body["type"].rpartition(":")[2]) == (409, "data-moved-on")
        assert roll(county) == before
    else:
        county.finish(run_id)
        assert county.query("SELECT property_id FROM properties_operational WHERE quality = 'by hand'") == [(edited,)]


def test_changes_are_filtered_by_table_change_and_field(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET value = '7' WHERE id IN (1, 2); UPDATE parcel SET class = 'C' WHERE id IN (2, 3)")
    county.change("DELETE FROM parcel WHERE id = 4; UPDATE sale SET price = '5' WHERE parcel_id = 9")
    run_id, _ = county.sync(validate_only=True)

    for _ in ("as it waits", "as it was applied"):
        keys = {
            name: sorted(item["key"] for item in every_change(run_id, **query))
            for name, query in {
                "field": {"field": "property_class"},
                "removed": {"change": "removed"},
                "table": {"table": "sales"},
                "none": {"table": "sales", "change": "added"},
            }.items()
        }
        assert keys == {
            "field": ["000002", "000003"],
            "removed": ["000004"],
            "table": ["000009-000001", "000009-000002"],
            "none": [],
        }
        if county.job(run_id)[0] == "awaiting_approval":
            assert api("POST", ONE + "/approve", run_id).status == 202
            county.finish(run_id)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"table": "parcels"}, "/query/table"),
        ({"field": "colour"}, "/query/field"),
        ({"table": "sales", "field": "year_built"}, "/query/field"),
        ({"change": "moved"}, "/query/change"),
    ],
)
def test_a_filter_that_matches_no_field_is_refused_with_its_pointer(
    county: County, query: dict[str, str], pointer: str
) -> None:
    run_id, _ = county.sync(validate_only=True)

    refused = api("GET", ONE + "/changes", run_id, query=query)

    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
