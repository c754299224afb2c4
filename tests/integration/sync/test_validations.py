"""A county's own rules in a run: warnings, uniqueness and references over the whole table, and lookups."""

from typing import Any

import pytest

from functions.sync.tasks import machine
from shared.problems import Problem
from tests.integration.sync.county import MAPPING, County
from tests.integration.sync.test_approval import ONE, api

PARCELS, SALES = MAPPING.split("  - source_table_name: sale\n")
SALES = "  - source_table_name: sale\n" + SALES


def with_rules(*parcels: str, sales: tuple[str, ...] = ()) -> str:
    def block(rules: tuple[str, ...]) -> str:
        return "    validations:\n" + "".join(f"      - {rule}\n" for rule in rules) if rules else ""

    of_sales, maps = SALES.split("value_maps:")
    return f"{PARCELS}{block(parcels)}{of_sales}{block(sales)}value_maps:{maps}"


def listed(run_id: str, what: str, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api("GET", f"{ONE}/{what}", run_id, query=query).body["items"]
    return items


def keys(run_id: str, what: str, **query: str) -> dict[str, list[str]]:
    return {row["source_key"]: [reason["rule"] for reason in row["reasons"]] for row in listed(run_id, what, **query)}


def test_a_rule_that_warns_lets_the_row_in_and_keeps_the_warning(county: County) -> None:
    county.set_mapping(with_rules("{rule: range, field: year_built, min: 1903, severity: warn}"))

    run_id, outcome = county.sync()

    assert outcome == "apply"
    # 1900 to 1902 come round every hundred parcels
    assert keys(run_id, "warnings") == {str(number): ["range"] for number in (1, 2, 100, 101, 102, 200, 201, 202, 300)}
    (row,) = [row for row in listed(run_id, "warnings", rule="range") if row["source_key"] == "101"]
    assert (row["target_key"], row["source_row"]["built"]) == ("000101", "1901")
    assert listed(run_id, "warnings", rule="unique") == []
    counts = api("GET", ONE, run_id).body["tables"]["properties_operational"]
    assert (counts["warned"], counts["rejected"], counts["added"]) == (9, 1, 299)


def test_values_that_have_to_be_unique_are_across_partitions_and_runs(county: County) -> None:
    county.set_mapping(with_rules("{rule: unique, fields: parcel_number}"))
    county.change("UPDATE parcel SET pin = 'P1' WHERE id IN (50, 250)")

    first, _ = county.sync()
    assert keys(first, "rejected-rows", rule="unique") == {"50": ["unique"], "250": ["unique"]}
    (row,) = [row for row in listed(first, "rejected-rows") if row["source_key"] == "250"]
    assert row["source_row"]["built"] == "1950"  # as it was read
    assert county.query("SELECT property_id FROM properties_operational WHERE parcel_number = 'P1'") == [("000001",)]

    # the row that is there stands, though the new one's key is lower; and what was set aside is looked at again
    county.change("UPDATE parcel SET pin = 'P299' WHERE id = 7")
    county.change("UPDATE parcel SET pin = 'P250' WHERE id = 250")
    second, _ = county.sync()
    assert keys(second, "rejected-rows", rule="unique") == {"7": ["unique"], "50": ["unique"]}
    assert county.query("SELECT parcel_number FROM properties_operational WHERE property_id = '000250'") == [("P250",)]
    assert county.query("SELECT parcel_number FROM properties_operational WHERE property_id = '000007'") == [("P7",)]


def test_a_value_that_moves_to_another_row_in_one_run_is_unique(county: County) -> None:
    county.set_mapping(with_rules("{rule: unique, fields: [parcel_number]}"))
    county.sync()
    county.change("UPDATE parcel SET pin = CASE id WHEN 10 THEN 'P210' ELSE 'P10' END WHERE id IN (10, 210)")
    run_id, _ = county.sync()
    assert listed(run_id, "rejected-rows", rule="unique") == []
    assert county.query("SELECT parcel_number FROM properties_operational WHERE property_id = '000010'") == [("P210",)]


@pytest.mark.parametrize("severity", ["reject", "warn"])
def test_a_sale_without_its_property_is_found_and_taken_once_the_property_comes(county: County, severity: str) -> None:
    rule = f"{{rule: reference, field: property_id, table: properties_operational, severity: {severity}}}"
    county.set_mapping(with_rules(sales=(rule,)))
    county.change("UPDATE parcel SET kept = false WHERE id = 20")

    first, _ = county.sync()

    what = "rejected-rows" if severity == "reject" else "warnings"
    assert keys(first, what, table="sales") == {"20/1": ["reference"], "20/2": ["reference"]}
    (count,) = county.query("SELECT count(*) FROM sales WHERE property_id = '000020'")
    assert count == ((0,) if severity == "reject" else (2,))

    county.change("UPDATE parcel SET kept = true WHERE id = 20")
    second, _ = county.sync()
    assert county.query("SELECT count(*) FROM sales WHERE property_id = '000020'") == [(2,)]
    assert listed(second, what, table="sales") == []


def test_the_rules_are_applied_once_however_often_reconcile_is_tried(county: County) -> None:
    county.set_mapping(
        with_rules("{rule: unique, fields: parcel_number}", "{rule: unique, fields: year_built, severity: warn}")
    )
    county.change("UPDATE parcel SET pin = 'P1' WHERE id = 250")
    planned = county.plan(validate_only=True)
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    county.step(machine.reconcile, planned["run_id"])
    once = (listed(planned["run_id"], "rejected-rows"), len(listed(planned["run_id"], "warnings")))
    county.query("UPDATE jobs SET status = 'running' RETURNING 1")
    county.step(machine.reconcile, planned["run_id"])
    assert (listed(planned["run_id"], "rejected-rows"), len(listed(planned["run_id"], "warnings"))) == once
    assert [row["source_key"] for row in once[0]] == ["150", "250"]


LOOKUP = """
lookups:
  grades: {source_table_name: grade, key: code, columns: [label]}
"""


def with_lookup(default: str = "") -> str:
    field = (
        "      - {source: spare, target: quality, type: string,"
        f" transformations: [{{type: lookup, table: grades, column: label{default}}}]}}\n"
    )
    return PARCELS + field + SALES + LOOKUP


def test_a_lookup_is_read_once_and_a_change_in_it_maps_the_rows_anew(county: County) -> None:
    county.change(
        "CREATE TABLE grade (code char(4), label text); INSERT INTO grade VALUES ('A', 'good'), ('B', 'fair')"
    )
    county.change(
        "UPDATE parcel SET spare = CASE WHEN id <= 2 THEN 'A' WHEN id = 299 THEN 'B' WHEN id = 3 THEN 'Z' END"
    )
    county.set_mapping(with_lookup())
    quality = "SELECT property_id, quality FROM properties_operational WHERE quality IS NOT NULL ORDER BY 1"

    first, _ = county.sync()
    assert county.query(quality) == [("000001", "good"), ("000002", "good"), ("000299", "fair")]
    assert keys(first, "rejected-rows")["3"] == ["lookup"]

    county.change("UPDATE grade SET label = 'excellent' WHERE code = 'A'")
    county.sync()
    assert county.query(quality) == [("000001", "excellent"), ("000002", "excellent"), ("000299", "fair")]
    assert county.sync()[1] == "unchanged"


def test_a_replay_finds_what_the_run_found_without_the_source(county: County) -> None:
    county.change("CREATE TABLE grade (code text, label text); INSERT INTO grade VALUES ('A', 'good')")
    county.change("UPDATE parcel SET spare = CASE id WHEN 1 THEN 'Z' WHEN 2 THEN 'A' END")
    county.set_mapping(with_lookup())
    run_id, _ = county.sync()
    county.set_mapping(with_lookup(", default: unknown"))
    county.set_secret(county.secret(1))  # nothing is to be had there

    started = api("POST", ONE + "/rejected-rows/replay", run_id, body={})
    county.go_on(county.plan(run_id=str(started.body["id"])))

    assert county.query("SELECT quality FROM properties_operational WHERE property_id = '000001'") == [("unknown",)]


@pytest.mark.parametrize(
    ("rows", "slug"),
    [("('A', 'x'), ('A ', 'y')", "lookup-key-twice"), (None, "source-column-missing")],
)
def test_a_lookup_that_cannot_be_used_fails_the_plan(county: County, rows: str | None, slug: str) -> None:
    if rows:
        county.change(f"CREATE TABLE grade (code text, label text); INSERT INTO grade VALUES {rows}")
    else:
        county.change("CREATE TABLE grade (code text)")
    county.set_mapping(with_lookup())
    with pytest.raises(Problem) as refused:
        county.plan()
    assert refused.value.slug == slug


def test_columns_that_no_field_names_are_kept_in_attributes(county: County) -> None:
    county.set_mapping(f"{PARCELS}    attributes: {{unmapped: keep}}\n{SALES}")
    county.change("UPDATE parcel SET spare = ' x ' WHERE id = 1")
    county.sync()
    assert county.query(
        "SELECT attributes FROM properties_operational WHERE property_id IN ('000001', '000003') ORDER BY property_id"
    ) == [({"kept": "t", "note": "", "spare": "x"},), ({"kept": "t"},)]
