"""Uploads: a person's file goes through the sync engine, another person decides, and it can be rolled back."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.properties.service import parcels as properties
from functions.sync.handler import handler as sync_handler
from shared.access import Role
from shared.settings import settings
from tests.aws import make_machine
from tests.gateway import Answer, call, claims_of
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.sync_steps import carry_out
from tests.integration.sync.upload_steps import (
    announced,
    asked,
    compared,
    confirm,
    inspect,
    inspected,
    inspection_asked,
    stored,
)

RUN = "/v1/counties/{county_id}/sync-runs/{run_id}"
YEARS = (
    b"Property ID,Year Built,Remark\r\n"
    b"000001,1961,a\r\n000002,,b\r\n000003,1903,c\r\n999999,1950,d\r\n000001,1970,e\r\n"
)
"""Corrections: one changes a year, one is blank, one is as it was, one has no parcel, one repeats a key."""


@pytest.fixture(autouse=True)
def synced(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    make_machine(monkeypatch, "jobs")
    settings.cache_clear()
    county.sync()


def apply(county: County, upload_id: str, by: str = "the assessor") -> None:
    answer = asked("POST", "/approve", upload_id, by=by, body={"reason": "checked"})
    assert answer.status == 202, answer.body
    county.finish(answer.body["run_id"])


def run_of(upload_id: str) -> str:
    return str(asked("GET", "", upload_id).body["run_id"])


def about_run(part: str, run_id: str, method: str = "GET", **options: Any) -> Answer:
    path = {"county_id": COUNTY, "run_id": run_id}
    return call(sync_handler, method, RUN + part, path=path, claims=claims_of(Role.IT_ADMIN, [COUNTY]), **options)


def years(county: County, *keys: str) -> list[int | None]:
    rows: dict[str, int | None] = dict(county.query("SELECT property_id, year_built FROM properties_operational"))
    return [rows[key] for key in keys]


def test_an_upload_is_proposed_compared_approved_by_another_person_and_applied(county: County) -> None:
    upload = inspected(YEARS)
    inspection = upload["inspection"]
    assert (inspection["format"], inspection["rows"], inspection["target_table"]) == (
        "csv", 5, "properties_operational",
    )  # fmt: skip
    reasons = {field["source"]: (field["target"], field["reason"]) for field in inspection["fields"]}
    assert reasons["Property ID"] == ("property_id", "3 of 4 sampled values of Property ID are a property_id")
    assert reasons["Year Built"][0] == "year_built"
    assert reasons["Remark"][0] is None
    run_id = confirm(upload["id"])
    assert carry_out(COUNTY, run_id) == "awaiting_approval"
    waiting = asked("GET", "", upload["id"]).body
    assert waiting["status"] == "awaiting_approval"
    assert waiting["counts"] == {"rows": 5, "added": 0, "changed": 1, "unchanged": 2, "rejected": 2}
    (change,) = asked("GET", "/changes", upload["id"]).body["items"]
    assert (change["key"], change["fields"]) == ("000001", [{"field": "year_built", "old": 1901, "new": 1961}])
    rejected = about_run("/rejected-rows", run_id).body["items"]
    assert {row["source_key"]: row["reasons"][0]["rule"] for row in rejected} == {
        "999999": "row_exists", "000001": "duplicate_key",
    }  # fmt: skip

    for person, status in (("a clerk", 403), ("the assessor", 202)):
        assert asked("POST", "/approve", upload["id"], by=person, body={}).status == status
    county.finish(run_id)
    assert years(county, "000001", "000002", "000003") == [1961, 1902, 1903]
    assert asked("GET", "", upload["id"]).body["status"] == "applied"
    newest = properties.history(COUNTY, "000001")[0]
    assert (newest.author.kind, newest.author.by) == ("upload", "the assessor")
    ((origin, value, source_value),) = county.query("SELECT origin, value, source_value FROM field_overrides")
    assert (origin, value, source_value) == ("upload", 1961, 1901)


def test_what_was_uploaded_stands_until_the_source_says_something_else(county: County) -> None:
    apply(county, compared(YEARS))
    assert county.sync()[1] in ("unchanged", "apply")
    county.change("UPDATE parcel SET value = '5' WHERE id = 1")
    county.sync()
    assert years(county, "000001") == [1961]
    county.change("UPDATE parcel SET built = '1999' WHERE id = 1")
    run_id, _ = county.sync()
    assert years(county, "000001") == [1999]
    assert about_run("/findings", run_id).body["items"][0]["details"]["decided"] == 1961


def test_an_applied_upload_goes_back_and_its_decisions_with_it(county: County) -> None:
    before = county.query("SELECT year_built, row_hash FROM properties_operational WHERE property_id = '000001'")
    upload_id = compared(YEARS)
    apply(county, upload_id)
    answer = asked("POST", "/roll-back", upload_id, by="the assessor", body={"dry_run": True})
    assert carry_out(COUNTY, answer.body["id"]) == "awaiting_approval"
    assert years(county, "000001") == [1961]
    answer = asked("POST", "/roll-back", upload_id, by="the assessor", body={})
    assert carry_out(COUNTY, answer.body["id"]) == "apply"
    assert before == county.query(
        "SELECT year_built, row_hash FROM properties_operational WHERE property_id = '000001'"
    )
    assert asked("GET", "", upload_id).body["status"] == "rolled_back"
    assert county.query("SELECT count(*) FROM field_overrides WHERE ended_at IS NULL") == [(0,)]
    assert county.sync()[1] == "apply"  # nothing to hold: no row of the source was rolled back
    assert before == county.query(
        "SELECT year_built, row_hash FROM properties_operational WHERE property_id = '000001'"
    )


def test_a_parcel_number_finds_its_property_and_attributes_are_merged(county: County) -> None:
    content = b"PIN;value\nP1;7,000.25\nP2;$8\nP2 ;9\nNONE;1\n"
    upload = inspected(content, "values.txt", target_table="properties_operational")
    assert "looked up among the county's parcels" in upload["inspection"]["notes"][0]
    mapping = upload["inspection"]["mapping"]
    more = mapping.replace("lookups:", "      - {source: PIN, target: attributes.note, type: string}\nlookups:")
    more = more.replace("target: attributes.note", "target: attributes.pin_on_list")
    assert carry_out(COUNTY, confirm(upload["id"], more)) == "awaiting_approval"
    apply(county, upload["id"])
    rows = county.query(
        "SELECT property_id, total_value, attributes FROM properties_operational WHERE attributes ? 'pin_on_list'"
    )
    assert {row[0]: (row[1], row[2]["pin_on_list"], row[2]["note"]) for row in rows} == {
        "000001": (Decimal("7000.25"), "P1", ""),
        "000002": (Decimal(8), "P2", "note 2"),
    }


def test_new_sales_are_added_and_a_sync_leaves_them(county: County) -> None:
    content = (
        b"sale_id,property_id,sale_date,sale_price,validity_code\n"
        b"X-1,000001,2026-01-02,450000,valid\nX-2,NOBODY,2026-01-02,1,valid\n000001-000001,000001,2015-02-15,7,valid\n"
    )
    upload_id = compared(content, "sales.csv")
    assert asked("GET", "", upload_id).body["counts"] == {
        "rows": 3, "added": 1, "changed": 1, "unchanged": 0, "rejected": 1,
    }  # fmt: skip
    apply(county, upload_id)
    assert county.sync(mode="snapshot")[1] in ("unchanged", "apply")
    stored_sales = county.query(
        "SELECT sale_id, sale_price, source_system FROM sales WHERE sale_price IN (7, 450000) AND retired_at IS NULL"
    )
    assert sorted(stored_sales) == [("000001-000001", Decimal(7), "TESTING"), ("X-1", Decimal(450000), "terrafusion")]
    answer = asked("POST", "/roll-back", upload_id, by="the assessor", body={})
    assert carry_out(COUNTY, answer.body["id"]) == "apply"
    assert county.query("SELECT count(*) FROM sales WHERE sale_price = 450000 AND retired_at IS NULL") == [(0,)]


def test_some_columns_of_sales_change_rows_and_add_none(county: County) -> None:
    content = b"sale_id,validity_code\n000001-000001,not_arms_length\nX-1,valid\n"
    upload_id = compared(content, "codes.csv", target_table="sales")
    assert asked("GET", "", upload_id).body["counts"]["rejected"] == 1
    apply(county, upload_id)
    assert county.query("SELECT validity_code FROM sales WHERE sale_id = '000001-000001'") == [("not_arms_length",)]


def test_the_next_file_with_the_same_columns_is_mapped_as_the_last_one_was(county: County) -> None:
    first = inspected(YEARS)
    changed = (
        first["inspection"]["mapping"]
        .replace("source: Remark", "source: Remark")
        .replace("    field_map:", "    field_map:\n      - {source: Remark, target: attributes.remark, type: string}")
    )
    carry_out(COUNTY, confirm(first["id"], changed))
    second = inspected(YEARS.replace(b"1961", b"1962"))
    assert second["inspection"]["remembered_from"] == first["id"]
    assert "attributes.remark" in second["inspection"]["mapping"]
    again = inspected(YEARS, "another name.csv")
    assert again["inspection"]["same_content_as"] == first["id"]
    assert announced(YEARS).body["same_content_as"] == first["id"]
    listed = asked("GET", query={"status": "awaiting_confirmation"}).body["items"]
    assert {item["id"] for item in listed} == {second["id"], again["id"]}


def test_a_sync_and_an_upload_exclude_each_other_and_a_sync_leaves_a_waiting_upload(county: County) -> None:
    upload = inspected(YEARS)
    planned = county.plan()
    refused = asked("POST", "/confirm", upload["id"], body=None)
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "sync-run-active")
    county.go_on(planned)
    run_id = confirm(upload["id"])
    assert county.plan(trigger="schedule")["outcome"] == "skipped"
    carry_out(COUNTY, run_id)
    county.change("UPDATE parcel SET value = '5' WHERE id = 100")
    assert county.sync()[1] == "apply"  # of other rows: what the upload shows is still what it would do
    apply(county, upload["id"])
    assert years(county, "000001") == [1961]


def test_an_upload_whose_rows_have_changed_since_is_compared_again(county: County) -> None:
    upload_id = compared(YEARS)
    county.change("UPDATE parcel SET value = '5' WHERE id = 1")
    county.sync()
    refused = asked("POST", "/approve", upload_id, by="the assessor", body={})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "data-moved-on")
    assert carry_out(COUNTY, confirm(upload_id)) == "awaiting_approval"
    apply(county, upload_id)
    assert years(county, "000001") == [1961]


def test_an_upload_that_replaces_a_decision_names_it(county: County) -> None:
    apply(county, compared(YEARS))
    second = compared(YEARS.replace(b"1961", b"1962"))
    (finding,) = about_run("/findings", run_of(second)).body["items"]
    assert (finding["kind"], finding["details"]["decided"], finding["details"]["source"]) == (
        "override_conflict", 1961, 1962,
    )  # fmt: skip
    apply(county, second)
    assert years(county, "000001") == [1962]
    assert asked("POST", "/roll-back", second, by="x", body={}).status == 202


def test_a_rejected_upload_leaves_nothing_but_its_record(county: County) -> None:
    upload_id = compared(YEARS)
    run_id = run_of(upload_id)
    answer = asked("POST", "/reject", upload_id, by="the assessor", body={"reason": "an old list"})
    assert (answer.status, answer.body["status"], answer.body["decision_reason"]) == (200, "rejected", "an old list")
    assert asked("POST", "/reject", upload_id, by="the assessor", body={"reason": "again"}).status == 200
    assert county.job(run_id)[0] == "cancelled"
    assert county.query("SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace") == []
    for part in ("/approve", "/roll-back", "/confirm"):
        assert asked("POST", part, upload_id, by="the assessor", body={}).status == 409, part
    assert about_run("/approve", run_id, "POST").status == 409


def test_a_waiting_upload_is_approved_as_an_upload_only(county: County) -> None:
    run_id = run_of(compared(YEARS))
    refused = about_run("/approve", run_id, "POST")
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "run-of-an-upload")
    assert about_run("/rejected-rows/replay", run_id, "POST", body={}).status == 409


def test_requests_about_uploads_are_answered_in_the_order_of_their_lives(county: County) -> None:
    created = announced(YEARS)
    upload_id = created.body["id"]
    assert created.headers["location"].endswith(upload_id)
    assert set(created.body["send"]["headers"]) == {"Content-Length", "x-amz-checksum-sha256", "If-None-Match"}
    assert inspection_asked(upload_id).body["type"].endswith("file-not-sent")
    for part in ("/confirm", "/approve", "/roll-back"):
        assert asked("POST", part, upload_id, by="x", body={}).status == 409, part
    assert asked("GET", "/changes", upload_id).status == 409
    stored(upload_id, YEARS, "corrections.csv")
    inspect_twice = [inspection_asked(upload_id).status for _ in range(2)]
    assert inspect_twice == [202, 202]
    inspect(upload_id)
    inspect(upload_id)
    assert inspection_asked(upload_id).status == 409
    assert asked("GET", "", str(uuid4())).status == 404
    assert asked("GET", "", upload_id, role=Role.REPORTING_STAFF).status == 403
    key = {"Idempotency-Key": "once"}
    body = {"filename": "a.csv", "size_bytes": 1, "sha256": "0" * 64}
    first, second = (asked("POST", body=body, headers=key) for _ in range(2))
    assert first.body["id"] == second.body["id"]
    assert asked("POST", body=body | {"size_bytes": 2}, headers=key).status == 422
    assert UUID(first.body["id"])


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (("county_id_default: testing_wa", "county_id_default: lucas_oh"), "not of testing_wa"),
        (("source_table_name: upload", "source_table_name: parcel"), "source_table_name upload"),
        (("source: Year Built", "source: Nothing"), "no column Nothing"),
        (("target: year_built", "target: nothing"), "nothing"),
    ],
)
def test_a_mapping_that_does_not_read_the_file_is_refused(spoiled: tuple[str, str], message: str) -> None:
    upload = inspected(YEARS)
    before, after = spoiled
    mapping = upload["inspection"]["mapping"].replace('"Year Built"', "Year Built").replace(before, after)
    refused = asked("POST", "/confirm", upload["id"], body={"mapping": mapping})
    assert refused.status == 422
    assert message in str(refused.body["errors"])
    assert refused.body["errors"][0]["pointer"] == "/body/mapping"
