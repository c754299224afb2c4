"""Approved values go back to the county's system, and the next sync finds no difference."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from functions.write_back import repository
from functions.write_back.service import source_rows
from functions.write_back.tasks import handler as task
from infra.local.postgres_binaries import program_folder
from shared.access import Role
from shared.db import unit_of_work
from tests.integration.sync.county import COUNTY, County
from tests.integration.write_back.written_county import (
    MAPPING,
    WRITE_BACK,
    approve,
    asked,
    file_of,
    rows_of,
    written_back,
)
from tests.job_cloud import run_task

APPROVED = {f"{number:06}": 1_500 * number for number in range(1, 21)}
"""The values of the first 20 of 30 parcels; the county has 1,000 times their number."""


def carried_out(county: County, script: bytes) -> str:
    """Carry out a script on the county's system by psql; what it reports, or its error."""
    url = county.source_url
    options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--file", "-"]
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [str(program_folder(Path("/nonexistent")) / "psql"), *options, address],
        input=script,
        capture_output=True,
        check=False,
    )
    return (done.stdout if done.returncode == 0 else done.stderr).decode()


def legacy(county: County) -> list[tuple[Any, ...]]:
    """The living rows of the county's own roll."""
    return county.source_rows("SELECT id, land, trim(total) FROM roll WHERE cur = 'Y' ORDER BY id")


def close_roll(year: int) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO rolls (county_id, roll_year, status, changed_by, version)"
                " VALUES (:county, :year, 'closed', 'an assessor', 1)"
            ),
            {"county": COUNTY, "year": year},
        )


def test_all_values_go_back_and_the_next_sync_finds_no_difference(with_roll: County) -> None:
    results = written_back(valuation_run_id=str(approve(APPROVED)))
    numbers = {
        name: results[name] for name in ("rows", "changed", "already_there", "changed_in_between", "not_in_source")
    }
    assert numbers == {
        "rows": 20,
        "changed": 20,
        "already_there": 0,
        "changed_in_between": 0,
        "not_in_source": 0,
    }
    script = file_of(results)
    assert hashlib.sha256(script).hexdigest() == results["sha256"]
    assert carried_out(with_roll, script) == "1\n"  # the keys are unique, and no row has changed in between
    assert legacy(with_roll)[:3] == [(1, "0", "1500"), (2, "0", "3000"), (3, "0", "4500")]
    assert legacy(with_roll)[20:22] == [(21, "0", "21,000"), (22, "0", "22,000")]
    versions = with_roll.query("SELECT assessment_id, total_value FROM assessments ORDER BY 1")
    run_id, _ = with_roll.sync()
    assert with_roll.query("SELECT assessment_id, total_value FROM assessments ORDER BY 1") == versions
    assert with_roll.query("SELECT kind FROM sync_findings WHERE run_id = CAST(:id AS uuid)", id=run_id) == []
    assert with_roll.query(
        "SELECT DISTINCT ended_why FROM field_overrides WHERE table_name = 'assessments' AND field = 'total_value'"
    ) == [("source_agrees",)]
    again = written_back(valuation_run_id=with_roll_run(with_roll))
    assert (again["rows"], again["changed"], rows_of(again)) == (0, 0, [])


def with_roll_run(county: County) -> str:
    ((run_id,),) = county.query("SELECT run_id FROM valuation_approvals")
    return str(run_id)


def test_a_second_run_of_the_script_does_nothing(with_roll: County) -> None:
    script = file_of(written_back(valuation_run_id=str(approve(APPROVED))))
    carried_out(with_roll, script)
    with_roll.change("UPDATE roll SET note = note || ' touched'")
    before = with_roll.source_rows("SELECT ctid, * FROM roll ORDER BY 1")
    carried_out(with_roll, script)
    assert with_roll.source_rows("SELECT ctid, * FROM roll ORDER BY 1") == before


def test_a_row_that_changed_before_the_job_is_reported_and_not_written(with_roll: County) -> None:
    run_id = str(approve(APPROVED))
    with_roll.change("UPDATE roll SET total = '2,222' WHERE id = 2")
    results = written_back(valuation_run_id=run_id)
    assert (results["rows"], results["changed_in_between"]) == (19, 1)
    (reported,) = rows_of(results, outcome="changed_in_between")
    assert reported["source_key"] == {"id": "2", "yr": "2015"}
    assert (reported["column"], reported["read_value"].strip(), reported["new_value"]) == ("total", "2,222", "3000")
    assert reported["reason"] == "the decision stood against '2000', and the system has '2222'"
    carried_out(with_roll, file_of(results))
    assert legacy(with_roll)[1] == (2, "0", "2,222")


def test_a_row_that_changes_after_the_job_is_reported_by_the_script_and_not_overwritten(with_roll: County) -> None:
    script = file_of(written_back(valuation_run_id=str(approve(APPROVED))))
    with_roll.change("UPDATE roll SET total = '2,222' WHERE id = 2")
    assert carried_out(with_roll, script) == "1\n2|assessments 000002-002015\n"
    assert legacy(with_roll)[:3] == [(1, "0", "1500"), (2, "0", "2,222"), (3, "0", "4500")]


def test_a_key_that_finds_several_rows_ends_the_transaction(with_roll: County) -> None:
    script = file_of(written_back(valuation_run_id=str(approve(APPROVED))))
    with_roll.change("INSERT INTO roll SELECT * FROM roll WHERE id = 20 AND cur = 'Y'")
    before = legacy(with_roll)
    assert "division by zero" in carried_out(with_roll, script)
    assert legacy(with_roll) == before


def test_a_dry_run_shows_each_value_and_makes_no_file(with_roll: County) -> None:
    results = written_back(valuation_run_id=str(approve(APPROVED)), dry_run=True)
    rows = rows_of(results)
    assert [row["row_no"] for row in rows] == list(range(1, 21))
    first = {**rows[0], "read_value": rows[0]["read_value"].strip()}
    assert first == {
        "row_no": 1,
        "table": "assessments",
        "row_key": "000001-002015",
        "source_key": {"id": "1", "yr": "2015"},
        "field": "total_value",
        "column": "total",
        "outcome": "changed",
        "read_value": "1,000",
        "new_value": "1500",
        "reason": None,
    }
    assert results["file"] is None
    assert asked("GET", "/download", results["id"]).status == 409


def test_the_roll_of_a_year_goes_back_when_it_is_closed(with_roll: County) -> None:
    approve(APPROVED)
    refused = asked("POST", body={"roll_year": 2015})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (422, "roll-not-closed")
    close_roll(2015)
    assert written_back(roll_year=2015)["rows"] == 20


def test_assessments_that_the_countys_system_lacks_are_reported(with_roll: County) -> None:
    results = written_back(valuation_run_id=str(approve({"000001": 1500, "000100": 9_000})))
    assert (results["rows"], results["not_in_source"]) == (1, 1)
    (missing,) = rows_of(results, outcome="not_in_source")
    assert (missing["field"], missing["source_key"], missing["new_value"]) == ("total_value", None, "9000.00")


def test_a_removed_row_is_reported(with_roll: County) -> None:
    run_id = str(approve(APPROVED))
    with_roll.change("DELETE FROM roll WHERE id = 5")
    results = written_back(valuation_run_id=run_id)
    assert (results["rows"], results["not_in_source"]) == (19, 1)


def test_a_value_that_the_mapping_would_read_otherwise_is_not_written(with_roll: County) -> None:
    """A rule of the mapping would reject the row with its new value: nothing of it is written."""
    rule = "    validations: [{rule: range, field: total_value, max: 20000}]\nvalue_maps:"
    with_roll.set_mapping(MAPPING.replace("value_maps:", rule, 1))
    results = written_back(valuation_run_id=str(approve({"000001": 1500, "000002": 30_000})))
    assert (results["rows"], results["not_invertible"]) == (1, 1)
    (refused,) = rows_of(results, outcome="not_invertible")
    assert refused["reason"] == "the mapping would reject the row with its new values"


def test_a_county_without_a_way_back_is_refused(with_roll: County) -> None:
    run_id = str(approve(APPROVED))
    with_roll.set_mapping(MAPPING.replace(WRITE_BACK, ""))
    refused = asked("POST", body={"valuation_run_id": run_id})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "no-write-back")


def test_the_same_request_again_finds_the_same_job(with_roll: County) -> None:
    body = {"valuation_run_id": str(approve(APPROVED))}
    answers = [asked("POST", body=body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert len({answer.body["id"] for answer in answers}) == 1
    other = asked("POST", body={**body, "dry_run": True}, headers={"Idempotency-Key": "once"})
    assert other.status == 422


def test_only_who_approves_values_writes_them_back(with_roll: County) -> None:
    body = {"valuation_run_id": str(approve(APPROVED))}
    assert asked("POST", body=body, role=Role.AUDITOR).status == 403
    both = asked("POST", body={**body, "roll_year": 2015})
    assert both.status == 422


def test_a_job_that_is_cut_short_leaves_nothing_half_and_ends_the_same(
    with_roll: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_rows, "RANGE_ROWS", 10)
    run_id = str(approve(APPROVED))
    write_back_id = asked("POST", body={"valuation_run_id": run_id}).body["id"]
    add_rows, calls = repository.add_rows, list[int]()

    def dying(*arguments: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the process is gone")
        return add_rows(*arguments)

    monkeypatch.setattr(repository, "add_rows", dying)
    with pytest.raises(RuntimeError):
        run_task(task, COUNTY, "write_back", write_back_id)
    assert with_roll.object_keys(f"jobs/{write_back_id}") == []
    assert asked("GET", "/rows", write_back_id).status == 409
    assert run_task(task, COUNTY, "write_back", write_back_id) == {"status": "succeeded"}
    results = asked("GET", "/results", write_back_id).body
    assert (results["rows"], results["changed"]) == (20, 20)
    assert [row["row_no"] for row in rows_of({"id": write_back_id})] == list(range(1, 21))


@pytest.mark.parametrize("format_", ["csv", "fixed_width", "xlsx"])
def test_a_file_has_the_rows_that_change(with_roll: County, format_: str) -> None:
    positions = "positions: {id: {start: 1, length: 6}, yr: {start: 7, length: 4}, total: {start: 11, length: 12}}"
    way = WRITE_BACK.replace("format: sql\n  dialect: postgresql", f"format: {format_}")
    way = way.replace("{target: land_value}, ", "")
    if format_ == "fixed_width":
        way = way.replace('where: {cur: "Y"}', positions)
    with_roll.set_mapping(MAPPING.replace(WRITE_BACK, way))
    content = file_of(written_back(valuation_run_id=str(approve({"000001": 1500, "000002": 2500}))))
    expected = {
        "csv": b"id,yr,total\r\n1,2015,1500\r\n2,2015,2500\r\n",
        "fixed_width": b"1     2015        1500\r\n2     2015        2500\r\n",
    }
    assert content == expected.get(format_, content)
    assert content


def test_hostile_values_stay_values(with_roll: County) -> None:
    hostile = "'); DROP TABLE roll; --\\ $(x) \n\\! true"
    way = WRITE_BACK.replace("{target: land_value}, ", "{target: attributes.note}, ")
    note = "'''); DROP TABLE roll; --' || chr(92) || chr(10) || '/'"
    with_roll.change_whole(f"UPDATE roll SET note = {note} WHERE id = 1")
    with_roll.set_mapping(MAPPING.replace(WRITE_BACK, way))
    with_roll.sync()
    decide_note("000001-002015", hostile)
    close_roll(2015)
    results = written_back(roll_year=2015)
    assert results["rows"] == 1
    carried_out(with_roll, file_of(results))
    assert with_roll.source_rows("SELECT note FROM roll WHERE id = 1 AND cur = 'Y'") == [(hostile,)]


def decide_note(assessment_id: str, note: str) -> None:
    """Decide on an entry of an assessment, as an edit does."""
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO field_overrides (county_id, table_name, row_key, field, version, value, source_value,"
                " origin, decision_id, made_by) SELECT county_id, 'assessments', assessment_id, 'attributes.note', 2,"
                " to_jsonb(CAST(:note AS text)), attributes -> 'note', 'edit', gen_random_uuid(), 'a' FROM assessments"
                " WHERE assessment_id = :id"
            ),
            {"note": note, "id": assessment_id},
        )
