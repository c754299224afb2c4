"""Rejected rows in quarantine: listed, exported, replayed, resolved by later runs."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.sync.county import BY_PIN, MAPPING, County
from tests.integration.sync.test_approval import ONE, api

ROWS = ONE + "/rejected-rows"
MENDED = MAPPING.replace(
    "{source: built, target: year_built, type: integer}",
    '{source: built, target: year_built, type: integer, transformations: [{type: null_if, values: ["19x7"]}]}',
)
BREAK = "UPDATE parcel SET built = 'x' || id WHERE id IN (5, 105)"


def rows(run_id: str, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api("GET", ROWS, run_id, query=query).body["items"]
    return items


def replay(county: County, run_id: str, **body: Any) -> tuple[str, str]:
    """Carry out a replay; its run, and Reconcile's outcome."""
    started = api("POST", ROWS + "/replay", run_id, body=body)
    assert started.status == 202, started.body
    replayed = str(started.body["id"])
    return replayed, county.go_on(county.plan(run_id=replayed))


def test_rows_are_listed_by_table_rule_and_field(county: County) -> None:
    county.change(BREAK)
    county.change("UPDATE sale SET sold = 'never' WHERE parcel_id = 9 AND seq = 1")
    run_id, _ = county.sync()

    assert {row["source_key"] for row in rows(run_id)} == {"5", "105", "150", "9/1"}
    assert {row["source_key"] for row in rows(run_id, table="sales")} == {"9/1"}
    assert {row["source_key"] for row in rows(run_id, field="year_built")} == {"5", "105", "150"}
    assert rows(run_id, table="sales", field="year_built") == []
    assert {row["resolution"] for row in rows(run_id, state="open")} == {None}


@pytest.mark.parametrize(
    ("part", "name", "permitted"),
    [
        ("/rejected-rows", "rule", "parse_date"),
        ("/rejected-rows", "table", "sales"),
        ("/rejected-rows", "field", "year_built"),
        ("/rejected-rows/export", "rule", "parse_date"),
        ("/warnings", "rule", "range"),
        ("/warnings", "table", "owners"),
        ("/changes", "table", "sales"),
        ("/findings", "kind", "closed_roll"),
        ("/findings", "table", "sales"),
    ],
)
def test_a_filter_that_nothing_can_have_is_refused_with_what_there_is(
    county: County, part: str, name: str, permitted: str
) -> None:
    run_id, _ = county.sync()
    answer = api("GET", f"/v1/counties/{{county_id}}/sync-runs/{{run_id}}{part}", run_id, query={name: "nonsense"})
    assert answer.status == 422
    assert permitted in json.dumps(answer.body)


def test_rows_are_exported_with_their_reasons_and_the_source_s_own_columns(county: County) -> None:
    county.change_whole("UPDATE parcel SET note = E'a;\"b\"\\nc' WHERE id = 150")
    run_id, _ = county.sync()

    answer = api("GET", ROWS + "/export", run_id, query={"table": "properties_operational"})

    assert answer.status == 303
    (row,) = csv.DictReader(io.StringIO(_exported(county, run_id)))
    assert (row["rejected_key"], row["rejected_state"], row["rejected_fields"]) == ("150", "open", "year_built")
    assert row["rejected_because"] == "type: '19x7' is not a valid integer"
    assert (row["built"], row["value"], row["note"]) == ("19x7", "$150,000.50", 'a;"b"\nc')
    assert httpx.URL(answer.headers["location"]).path.endswith(".csv")


def test_a_formula_of_the_source_is_a_text_in_the_export(county: County) -> None:
    county.change('ALTER TABLE parcel ADD "=1+1" text')
    county.change_whole(
        "UPDATE parcel SET note = '=cmd|''/C calc''!A0', spare = '-122.45', \"=1+1\" = '@x' WHERE id = 150"
    )
    run_id, _ = county.sync()

    api("GET", ROWS + "/export", run_id, query={"table": "properties_operational"})

    (row,) = csv.DictReader(io.StringIO(_exported(county, run_id)))
    assert (row["note"], row["spare"], row["'=1+1"]) == ("'=cmd|'/C calc'!A0", "-122.45", "'@x")


def test_a_replay_with_a_mended_mapping_takes_rejected_rows_without_reading_the_source(county: County) -> None:
    run_id, _ = county.sync()
    county.set_mapping(MENDED)
    county.set_secret(county.secret(1))  # nothing is to be had there

    replayed, outcome = replay(county, run_id)

    assert outcome == "apply"
    shown = api("GET", ONE, replayed).body
    assert (shown["trigger"], shown["mode"], shown["replay_of"]) == ("replay", "replay", run_id)
    assert shown["tables"]["properties_operational"]["added"] == 1
    assert county.query(
        "SELECT year_built, version, sync_run_id::text FROM properties_operational WHERE property_id = '000150'"
    ) == [(None, 1, replayed)]
    (row,) = rows(run_id)
    assert (row["resolution"], row["resolved_by_run"]) == ("synced", replayed)
    assert rows(run_id, state="open") == []
    assert county.query("SELECT action FROM audit_events ORDER BY event_id DESC LIMIT 2") == [
        ("sync.applied",),
        ("sync.replay_requested",),
    ]
    county.set_secret(county.secret(county.port))
    assert county.sync()[1] == "apply"  # once more whole: the mapping is another
    assert county.query("SELECT version FROM properties_operational WHERE property_id = '000150'") == [(1,)]


def test_rows_that_are_still_invalid_stay_in_quarantine_with_their_present_reasons(county: County) -> None:
    county.change(BREAK)
    run_id, _ = county.sync()
    county.set_mapping(MENDED)

    replayed, _ = replay(county, run_id)

    assert {row["source_key"]: row["resolution"] for row in rows(run_id)} == {
        "150": "synced",
        "5": "rejected_again",
        "105": "rejected_again",
    }
    again = rows(replayed, state="open")
    assert {row["source_key"] for row in again} == {"5", "105"}
    assert again[0]["reasons"][0]["message"] in ("'x5' is not a valid integer", "'x105' is not a valid integer")
    # and again, from the replay's own quarantine, once more mended
    county.set_mapping(MENDED.replace('"19x7"', '"19x7", "x5", "x105"'))
    third, _ = replay(county, replayed)
    assert rows(replayed, state="open") == rows(third) == []
    assert county.query("SELECT count(*) FROM properties_operational WHERE retired_at IS NULL") == [(300,)]


def test_rows_with_a_repeated_key_are_taken_once_the_mapping_distinguishes_them(county: County) -> None:
    county.change("UPDATE parcel SET pin = 'P5' WHERE id IN (7, 250)")  # one in the partition of the first, one not
    county.set_mapping(BY_PIN)
    run_id, _ = county.sync()
    twice = rows(run_id, rule="duplicate_key")
    assert {row["source_key"]: row["source_row"]["value"] for row in twice} == {"7": "$7,000.50", "250": "$250,000.50"}
    county.set_mapping(MENDED)

    replayed, outcome = replay(county, run_id)

    assert outcome == "apply"
    assert county.query(
        "SELECT property_id, parcel_number, total_value::text FROM properties_operational"
        " WHERE sync_run_id = CAST(:id AS uuid) ORDER BY property_id",
        id=replayed,
    ) == [("000007", "P5", "7000.50"), ("000150", "P150", "150000.50"), ("000250", "P5", "250000.50")]
    assert {row["resolved_by_run"] for row in rows(run_id)} == {replayed}


def test_only_the_requested_rows_are_replayed(county: County) -> None:
    county.change("UPDATE sale SET sold = 'never' WHERE parcel_id = 9 AND seq = 1")
    run_id, _ = county.sync()
    county.set_mapping(MENDED)

    replay(county, run_id, table="properties_operational")

    assert [row["source_key"] for row in rows(run_id, state="open")] == ["9/1"]


def test_a_replay_can_be_reviewed_before_it_is_applied(county: County) -> None:
    run_id, _ = county.sync()
    county.set_mapping(MENDED)

    replayed, outcome = replay(county, run_id, validate_only=True)

    assert outcome == "awaiting_approval"
    (change,) = api("GET", ONE + "/changes", replayed).body["items"]
    assert (change["key"], change["change"]) == ("000150", "added")
    assert [row["resolution"] for row in rows(run_id)] == [None]
    assert api("POST", ONE + "/cancel", replayed).status == 200
    assert [row["resolution"] for row in rows(run_id)] == [None]


def test_there_is_nothing_to_replay_of_a_run_that_was_not_applied_or_has_no_open_row(county: County) -> None:
    waiting, _ = county.sync(validate_only=True)
    refused = api("POST", ROWS + "/replay", waiting, body={})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "sync-run-not-applied")
    run_id, _ = county.sync()
    refused = api("POST", ROWS + "/replay", run_id, body={"table": "sales"})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "nothing-to-replay")
    assert api("POST", ROWS + "/replay", str(uuid4()), body={}).status == 404
    assert api("POST", ROWS + "/replay", run_id, body={"column": "sales"}).status == 422


def test_a_replay_is_started_once_for_an_idempotency_key(county: County) -> None:
    run_id, _ = county.sync()

    first, again = (api("POST", ROWS + "/replay", run_id, body={}, headers={"Idempotency-Key": "a"}) for _ in range(2))

    assert (first.status, again.status) == (202, 202)
    assert first.body["id"] == again.body["id"]


@pytest.mark.parametrize(
    ("change", "resolution"),
    [
        ("UPDATE parcel SET built = '1950' WHERE id = 150", "synced"),
        ("DELETE FROM parcel WHERE id = 150", "gone"),
        ("UPDATE parcel SET built = 'worse' WHERE id = 150", "rejected_again"),
    ],
)
def test_a_later_run_resolves_rows_that_an_earlier_one_rejected(county: County, change: str, resolution: str) -> None:
    first, _ = county.sync()
    county.change(change)

    second, _ = county.sync()

    (row,) = rows(first)
    assert (row["resolution"], row["resolved_by_run"]) == (resolution, second)
    assert len(rows(second, state="open")) == (resolution == "rejected_again")


def test_rows_of_partitions_that_have_not_changed_stay_open(county: County) -> None:
    first, _ = county.sync()
    county.change("UPDATE parcel SET value = '7' WHERE id = 42")

    county.sync()

    assert [row["resolution"] for row in rows(first)] == [None]


def test_an_incremental_run_resolves_the_rows_that_it_has_read_and_no_other(county: County) -> None:
    county.change(BREAK)
    county.change("ALTER TABLE parcel ADD COLUMN changed_at timestamp NOT NULL DEFAULT '2026-01-01'")
    key = "    primary_key_source_fields: [id]\n"
    county.set_mapping(MAPPING.replace(key, f"{key}    watermark_field: changed_at\n"))
    county.configure(mode="incremental", incremental={"overlap_seconds": 0})
    county.change("UPDATE parcel SET changed_at = '2026-01-02' WHERE id = 1")
    first, _ = county.sync()
    county.change("UPDATE parcel SET built = '1905', changed_at = '2026-01-03' WHERE id = 5")
    county.change("UPDATE parcel SET built = 'worse', changed_at = '2026-01-03' WHERE id = 105")

    county.sync()

    assert {row["source_key"]: row["resolution"] for row in rows(first)} == {
        "5": "synced",
        "105": "rejected_again",
        "150": None,
    }


def _exported(county: County, run_id: str) -> str:
    (key,) = county.object_keys(f"sync/{run_id}/rejected-rows/")
    return county.object(key).decode()
