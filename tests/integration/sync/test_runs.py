"""Whole runs: the rows that they write, and those that they leave alone."""

import io
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from functions.sync.tasks import machine
from shared.problems import Conflict, SourceUnavailable, Unprocessable
from tests.integration.sync.county import BY_PIN, MAPPING, County


def test_a_first_run_loads_what_an_independent_reading_of_the_source_gives(county: County) -> None:
    run_id, outcome = county.sync()

    assert outcome == "apply"
    expected = {
        f"{i:06}": (
            f"P{i}",
            "commercial" if i % 10 == 0 else "residential",
            1900 + i % 100,
            Decimal(f"{i}000.50"),
            {0: None, 1: "", 2: f"note {i}"}[i % 3],
            1,
        )
        for i in range(1, 301)
        if i != 150
    }
    rows = county.query(
        "SELECT property_id, parcel_number, property_class, year_built, total_value, attributes->>'note', version"
        " FROM properties_operational"
    )
    assert {row[0]: row[1:] for row in rows} == expected
    sales = county.query("SELECT sale_id, property_id, sale_date, sale_price, validity_code FROM sales")
    assert sorted(sales) == sorted(
        (f"{i:06}-{s:06}", f"{i:06}", date(2015, 1 + i % 12, 15), Decimal(100000 + i * s), "valid")
        for i in range(1, 121)
        for s in (1, 2)
    )
    assert county.job(run_id)[0] == "succeeded"
    assert county.state()["staging"] == []
    assert county.state()["active"] == []


def test_a_rejected_row_is_in_quarantine_with_its_source_row_and_reasons(county: County) -> None:
    run_id, _ = county.sync()

    ((source_key, row, reasons),) = county.query(
        "SELECT source_key, source_row, reasons FROM rejected_rows WHERE run_id = CAST(:id AS uuid)", id=run_id
    )
    assert source_key == "150"
    assert row["built"] == "19x7"
    assert row["value"] == "$150,000.50"
    assert reasons == [{"rule": "type", "field": "year_built", "message": "'19x7' is not a valid integer"}]


def test_a_second_run_of_an_unchanged_source_writes_no_row(county: County) -> None:
    county.sync()
    before = county.row_versions()
    state = county.state()

    run_id, outcome = county.sync()

    assert outcome == "unchanged"
    assert county.row_versions() == before
    assert county.state() == state
    assert county.job(run_id)[0] == "succeeded"
    unchanged = county.query(
        "SELECT DISTINCT unchanged FROM sync_partitions WHERE run_id = CAST(:id AS uuid)", id=run_id
    )
    assert unchanged == [(True,)]


def test_only_the_rows_that_changed_are_written_and_their_former_versions_kept(county: County) -> None:
    county.sync()
    before = county.row_versions()["properties_operational"]
    county.change("UPDATE parcel SET value = '7', note = NULL WHERE id = 42")

    run_id, outcome = county.sync()

    assert outcome == "apply"
    after = county.row_versions()["properties_operational"]
    assert len(set(before.items()) - set(after.items())) == 1
    (history,) = county.query(
        "SELECT property_id, total_value, version, superseded_by_run::text, valid_from < valid_to"
        " FROM properties_operational_history"
    )
    assert history == ("000042", Decimal("42000.50"), 1, run_id, True)
    (current,) = county.query(
        "SELECT total_value, version, sync_run_id::text FROM properties_operational WHERE property_id = '000042'"
    )
    assert current == (Decimal("7.00"), 2, run_id)
    ((meeting,),) = county.query(
        "SELECT h.valid_to = p.valid_from FROM properties_operational_history AS h"
        " JOIN properties_operational AS p USING (county_id, property_id)"
    )
    assert meeting is True


def test_a_removed_row_is_retired_and_a_returning_one_goes_on_with_its_history(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET kept = false WHERE id IN (7, 299)")
    county.sync()
    retired = county.query("SELECT property_id, version FROM properties_operational WHERE retired_at IS NOT NULL")
    assert sorted(retired) == [("000007", 2), ("000299", 2)]

    county.change("UPDATE parcel SET kept = true WHERE id = 7")
    county.sync()

    (row,) = county.query("SELECT version, retired_at FROM properties_operational WHERE property_id = '000007'")
    assert row == (3, None)
    versions = county.query(
        "SELECT version, retired_at IS NOT NULL FROM properties_operational_history"
        " WHERE property_id = '000007' ORDER BY version"
    )
    assert versions == [(1, False), (2, True)]


def test_a_row_that_becomes_invalid_keeps_its_last_valid_version(county: County) -> None:
    county.sync()
    county.change("UPDATE parcel SET built = '2999' WHERE id = 10")

    county.sync()

    (row,) = county.query(
        "SELECT year_built, version, retired_at FROM properties_operational WHERE property_id = '000010'"
    )
    assert row == (1910, 1, None)


def test_a_new_mapping_reaches_rows_that_the_source_has_not_changed(county: County) -> None:
    county.sync()
    county.set_mapping(MAPPING.replace("C: commercial", "C: mercantile"))

    _, outcome = county.sync()

    assert outcome == "apply"
    # every tenth is commercial, and the 150th in quarantine
    changed = county.query("SELECT property_class, count(*) FROM properties_operational WHERE version = 2 GROUP BY 1")
    assert changed == [("mercantile", 29)]


def test_new_rows_at_the_end_go_into_the_partitions_that_are_there(county: County) -> None:
    county.sync()
    county.change("INSERT INTO parcel (id, pin, class, built, value) VALUES (301, 'P301', 'R', '2000', '5')")

    run_id, _ = county.sync()

    unchanged = county.query(
        "SELECT unchanged, count(*) FROM sync_partitions WHERE run_id = CAST(:id AS uuid)"
        " AND table_name = 'properties_operational' GROUP BY 1 ORDER BY 1",
        id=run_id,
    )
    assert unchanged == [(False, 1), (True, 2)]
    assert county.query("SELECT count(*) FROM properties_operational") == [(300,)]


def test_a_table_that_outgrew_its_partitions_is_cut_anew_and_nothing_is_lost(county: County) -> None:
    county.sync()
    county.change(
        "INSERT INTO parcel (id, pin, class, built, value) SELECT i, 'P' || i, 'R', '2000', '5'"
        " FROM generate_series(301, 900) AS i"
    )

    _, outcome = county.sync()

    assert outcome == "apply"
    assert county.query("SELECT count(*), max(version) FROM properties_operational") == [(899, 1)]


def test_keys_whose_text_order_is_not_the_sources_order_are_compared_all_the_same(county: County) -> None:
    county.set_mapping(MAPPING.replace(", transformations: [{type: pad_left, length: 6}]}", "}"))
    county.sync()
    before = county.row_versions()
    county.change("UPDATE parcel SET value = '1' WHERE id IN (9, 99, 201); DELETE FROM parcel WHERE id = 100")

    county.sync()

    changed = county.query("SELECT property_id, retired_at IS NULL FROM properties_operational WHERE version = 2")
    assert sorted(changed) == [("100", False), ("201", True), ("9", True), ("99", True)]
    after = county.row_versions()
    assert len(set(before["properties_operational"].items()) - set(after["properties_operational"].items())) == 4


def test_a_row_without_a_key_is_rejected_and_not_lost(county: County) -> None:
    county.change("ALTER TABLE parcel DROP CONSTRAINT parcel_pkey, ALTER COLUMN id DROP NOT NULL")
    county.change("INSERT INTO parcel (id, pin, class, built, value) VALUES (NULL, 'LOST', 'R', '2000', '5')")

    run_id, _ = county.sync()

    reasons = county.query(
        "SELECT reasons FROM rejected_rows WHERE source_row->>'pin' LIKE 'LOST%' AND run_id = CAST(:id AS uuid)",
        id=run_id,
    )
    assert [[reason["rule"] for reason in row[0]] for row in reasons] == [["required"]]


def test_a_key_in_two_partitions_is_applied_once_and_its_second_row_rejected(county: County) -> None:
    county.set_mapping(BY_PIN)
    county.change("UPDATE parcel SET pin = 'P5' WHERE id = 250")

    run_id, outcome = county.sync()

    assert outcome == "apply"
    assert county.query("SELECT total_value FROM properties_operational WHERE property_id = 'P5'") == [
        (Decimal("5000.50"),)
    ]
    ((source_row, (reason,)),) = county.query(
        "SELECT source_row, reasons FROM rejected_rows WHERE source_key = '250' AND run_id = CAST(:id AS uuid)",
        id=run_id,
    )
    assert reason["rule"] == "duplicate_key"
    # as it was read, not as it was mapped
    assert (source_row["id"], source_row["pin"].rstrip(), source_row["value"]) == ("250", "P5", "$250,000.50")


def test_a_retyped_and_a_lost_column_are_distinguished(county: County) -> None:
    county.sync()
    before = county.row_versions()
    county.change("ALTER TABLE parcel DROP COLUMN value")

    with pytest.raises(Unprocessable, match="properties_operational has no column value"):
        county.sync()

    assert county.row_versions() == before


def test_a_mapping_of_another_county_is_refused(county: County) -> None:
    county.set_mapping(MAPPING.replace("testing_wa", "other_wa"))

    with pytest.raises(Unprocessable, match="other_wa"):
        county.sync()


def test_a_refused_connection_fails_the_run_with_its_reason_and_changes_nothing(county: County) -> None:
    county.sync()
    before = county.row_versions()
    county.set_secret(county.secret(1))
    planned_id = "3c0fca5e-7f5e-4a59-9f5a-000000000001"

    with pytest.raises(SourceUnavailable) as refused:
        county.plan(run_id=planned_id)
    county.fail(planned_id, refused.value)

    status, error = county.job(planned_id)
    assert status == "failed"
    assert error is not None
    assert error["type"] == "source-unavailable"
    assert "127.0.0.1:1" in error["detail"]
    assert "terrafusion_owner" not in error["detail"]
    assert county.row_versions() == before
    assert county.state()["active"] == []


def test_a_second_run_is_refused_while_one_is_active(county: County) -> None:
    planned = county.plan()

    with pytest.raises(Conflict, match=planned["run_id"]):
        county.plan()

    county.go_on(planned)
    _, outcome = county.sync()
    assert outcome == "unchanged"


def test_a_partition_that_runs_twice_leaves_what_it_leaves_once(county: County) -> None:
    planned = county.plan()
    for item in county.items(planned) * 2:
        county.partition(planned["run_id"], item)
    for _ in range(2):
        county.step(machine.reconcile, planned["run_id"])
    for _ in range(2):
        county.step(machine.apply, planned["run_id"])
    for item in county.files(county.step(machine.prepare, planned["run_id"])) * 2:
        county.curate(planned["run_id"], item)
    for _ in range(2):
        county.step(machine.publish, planned["run_id"])

    assert county.query("SELECT count(*), max(version) FROM properties_operational") == [(299, 1)]
    assert county.query("SELECT count(*) FROM rejected_rows") == [(1,)]


def test_the_raw_rows_are_kept_as_they_were_read(county: County) -> None:
    run_id, _ = county.sync()

    keys = county.object_keys(f"raw/properties_operational/run={run_id}")
    frame = pl.concat(pl.read_parquet(io.BytesIO(county.object(key))) for key in keys)
    assert frame.height == 300
    assert frame.filter(pl.col("id") == "1").select("pin", "value", "note").row(0) == ("P1          ", "$1,000.50", "")
