"""A county's own rules, and what becomes of columns that no field names."""

import json
from collections.abc import Mapping

import polars as pl
import pytest

from shared.mapping import READ_FAULT, RULE_NAMES, MappingError, parse_mapping
from shared.mapping.compile.tables import CompiledTable, MappedRows, compile_table
from shared.mapping.reference import validations_table
from shared.mapping.rules.rule_models import VALIDATIONS
from tests.unit.mapping.mappings import TODAY, frame, mapping_text

FIELDS = (
    "{source: pin, target: parcel_number, type: string}",
    "{source: built, target: year_built, type: integer}",
    "{source: land, target: land_value, type: money}",
    "{source: bldg, target: improvement_value, type: money}",
    "{source: total, target: total_value, type: money}",
    "{source: sold, target: last_sale_date, type: date}",
    "{source: year, target: attributes.roll_year, type: integer}",
)
GOOD = {
    "pin": "12-34", "built": "1950", "land": "100", "bldg": "50.5", "total": "150.50", "sold": "2015-01-02",
    "year": "2015",
}  # fmt: skip


def table(*rules: str, more: str = "") -> CompiledTable:
    text = mapping_text(*FIELDS) + "    validations:\n" + "".join(f"      - {rule}\n" for rule in rules) + more
    return compile_table(parse_mapping(text), "properties_operational", today=TODAY)


def row(*rows: Mapping[str, str | None]) -> pl.DataFrame:
    return frame(**{name: [item[name] for item in rows] for name in rows[0]})


def applied(rule: str, **changed: str | None) -> MappedRows:
    return table(rule).apply(row({**GOOD, **changed}))


@pytest.mark.parametrize("severity", ["reject", "warn"])
@pytest.mark.parametrize(
    ("rule", "good", "bad", "said"),
    [
        ("rule: required, field: parcel_number", {"pin": ""}, {"pin": None}, "a value is required"),
        ("rule: range, field: year_built, min: 1700", {"built": "1700"}, {"built": "1699"},
         "'1699' is out of the county's range: 1700 to any"),
        ("rule: range, field: year_built, max: this_year", {"built": "2026"}, {"built": "2027"}, "any to this_year"),
        ("rule: range, field: last_sale_date, min: 2000-01-01, max: today", {"sold": "2026-11-22"},
         {"sold": "1999-12-31"}, "2000-01-01 to today"),
        ("rule: range, field: total_value, max: 1000000", {"total": None}, {"total": "1000000.01"}, "'1000000.01'"),
        ("rule: allowed, field: year_built, values: [1950, 1960]", {"built": "1960.0"}, {"built": "1955"},
         "'1955' is none of the allowed values"),
        ("rule: matches, field: parcel_number, pattern: '[0-9]{2}-[0-9]{2}'", {"pin": "99-00"}, {"pin": "99-000"},
         "'99-000' is not of the form"),
        ("rule: compare, field: year_built, operator: ==, other: attributes.roll_year", {"built": "2015"},
         {"built": "2014"}, "does not hold"),
        ("rule: compare, field: year_built, operator: <=, other: attributes.roll_year", {"built": "2015"},
         {"built": "2016"}, "'2016 and 2015': year_built <= attributes.roll_year does not hold"),
        ("rule: total, field: total_value, parts: [land_value, improvement_value]", {"total": "150.51"},
         {"total": "150.52"}, "'150.52, 100, 50.5': total_value is not the sum of land_value and improvement_value"),
        ("rule: total, field: total_value, parts: [land_value, improvement_value], tolerance: 5",
         {"total": "145.5"}, {"total": "145.4"}, "is not the sum"),
        ("rule: total, field: total_value, parts: [land_value, improvement_value]",
         {"land": None, "bldg": None}, {"land": None}, "NULL, 50.5"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_rejects_or_warns(
    rule: str, good: dict[str, str | None], bad: dict[str, str | None], said: str, severity: str
) -> None:
    written = f"{{{rule}, severity: {severity}}}"
    kept, broken = applied(written, **good), applied(written, **bad)

    assert (kept.good.height, kept.rejected.height, kept.warned.height) == (1, 0, 0)
    assert broken.good.height == (severity == "warn")
    reported = broken.warned if severity == "warn" else broken.rejected
    other = broken.rejected if severity == "warn" else broken.warned
    assert other.is_empty()
    (reason,) = json.loads(reported["reasons"][0])
    assert reason["rule"] == rule.split(",")[0].removeprefix("rule: ")
    assert said in reason["message"]
    assert json.loads(reported["source_row"][0])["total"] == {**GOOD, **bad}["total"]


def test_a_range_of_the_countys_takes_the_place_of_the_platforms_own() -> None:
    early = {"built": "1599"}
    assert applied("{rule: required, field: year_built}", **early).rejected.height == 1
    warned = applied("{rule: range, field: year_built, min: 1600, severity: warn}", **early)
    assert (warned.good.height, warned.warned.height) == (1, 1)


def test_a_row_with_a_warning_and_a_reject_is_rejected_once() -> None:
    rules = ("{rule: required, field: parcel_number}", "{rule: range, field: year_built, max: 1900, severity: warn}")
    mapped_rows = table(*rules).apply(row({**GOOD, "pin": None}))
    assert (mapped_rows.good.height, mapped_rows.rejected.height, mapped_rows.warned.height) == (0, 1, 0)


def test_a_value_that_cannot_be_read_can_be_a_warning() -> None:
    text = mapping_text("{source: a, target: year_built, type: integer, unreadable: warn}")
    compiled = compile_table(parse_mapping(text), "properties_operational", today=TODAY)
    mapped_rows = compiled.apply(frame(a=["19x7", "1950"]))
    assert mapped_rows.good["year_built"].to_list() == [None, 1950]
    assert "'19x7' is not a valid integer" in mapped_rows.warned["reasons"][0]
    required = text.replace("unreadable: warn", "unreadable: warn, required: true")
    compiled = compile_table(parse_mapping(required), "properties_operational", today=TODAY)
    assert compiled.apply(frame(a=["19x7"])).good.is_empty()


def test_a_row_that_the_source_calls_none_is_rejected_with_its_reason() -> None:
    whole = row(GOOD, GOOD).with_columns(pl.Series(READ_FAULT, [None, "3 fields: a,b"]))
    mapped_rows = table("{rule: required, field: year_built}").apply(whole)
    assert mapped_rows.good.height == 1
    (reason,) = json.loads(mapped_rows.rejected["reasons"][0])
    assert (reason["rule"], reason["message"]) == ("unreadable_row", "3 fields: a,b")
    # it stays with the row, so that mapping it again does not take it for one
    assert json.loads(mapped_rows.rejected["source_row"][0])[READ_FAULT] == "3 fields: a,b"


def test_columns_that_no_field_names_are_kept_where_the_mapping_says_so() -> None:
    kept = table("{rule: required, field: year_built}", more="    attributes: {unmapped: keep}\n")
    columns = {**GOOD, "Zoning Code": " R-1 ", "Notes": "", "roll-year": "taken", "SHAPE_WKB": "00"}
    mapped_rows = kept.apply(row(columns))
    assert json.loads(mapped_rows.good["attributes"][0]) == {"roll_year": 2015, "zoning_code": "R-1"}
    dropped = table("{rule: required, field: year_built}").apply(row(columns))
    assert json.loads(dropped.good["attributes"][0]) == {"roll_year": 2015}
    assert mapped_rows.good["row_hash"][0] != dropped.good["row_hash"][0]


def test_nothing_to_keep_is_null() -> None:
    text = mapping_text() + "    attributes: {unmapped: keep}\n"
    compiled = compile_table(parse_mapping(text), "properties_operational", today=TODAY)
    assert "attributes" in compiled.columns
    assert compiled.apply(frame(id=["1"])).good["attributes"].to_list() == [None]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{rule: rang, field: year_built}", "no rule named 'rang'; did you mean range?"),
        ("{field: year_built}", "a rule has a `rule`"),
        ("{rule: range, field: yearbuilt, min: 1}", "did you mean year_built?"),
        ("{rule: range, field: year_built}", "give `min`, `max` or both"),
        ("{rule: range, field: year_built, min: abc}", "'abc' cannot be read"),
        ("{rule: range, field: last_sale_date, min: 1900}", "'1900' is no date"),
        ("{rule: range, field: parcel_number, min: 1}", "a range needs a number or a date"),
        ("{rule: matches, field: year_built, pattern: a}", "a pattern needs a string"),
        ("{rule: matches, field: parcel_number, pattern: '(a'}", "is not a regular expression"),
        ("{rule: matches, field: parcel_number, pattern: '(?=a)'}", "not supported"),
        ("{rule: compare, field: year_built, operator: <=, other: parcel_number}", "they do not compare"),
        ('{rule: compare, field: year_built, operator: "~", other: total_value}', "'~' is not one of"),
        ("{rule: total, field: total_value, parts: [land_value, parcel_number]}", "a total needs numbers"),
        ("{rule: unique, fields: attributes.roll_year}", "is an entry of a JSON column"),
        ("{rule: reference, field: parcel_number, table: sales}", "this mapping does not fill sales"),
        ("{rule: reference, field: parcel_number, table: salez}", "did you mean sales?"),
        ("{rule: required, field: year_built, severty: warn}", "not known; did you mean severity?"),
        ("{rule: required, field: year_built, severity: maybe}", "'maybe' is not one of"),
    ],
)
def test_a_fault_of_a_rule_is_told_with_its_line(rule: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        table(rule)
    (problem,) = refused.value.diagnostics
    assert said in problem.message
    assert problem.line == 19


def test_the_documentation_names_every_rule_and_parameter() -> None:
    documented = validations_table()
    for name, rule in VALIDATIONS.items():
        (line,) = [line for line in documented.splitlines() if line.startswith(f"| `{name}` |")]
        assert all(f"`{parameter}`" in line for parameter in rule.model_fields if parameter not in ("rule", "severity"))


def test_every_reason_names_a_rule_by_which_rejected_rows_can_be_filtered() -> None:
    fields = (
        "{source: pin, target: parcel_number, type: string, required: true}",
        "{source: built, target: year_built, type: integer}",
        "{source: total, target: total_value, type: money}",
        "{source: seat, target: county_id, type: string, default_from_config: county_id_default}",
    )
    table = compile_table(parse_mapping(mapping_text(*fields)), "properties_operational", today=TODAY)
    rows = table.apply(
        frame(
            id=["..", "1", "1", "2", "3", "4"], pin=["a", "a", "a", None, "a", "a"],
            built=["1950", "1950", "1950", "1", "x", "1950"], total=["1", "1", "1", "1", "1", "1.001"],
            seat=[None, None, None, None, None, "king_wa"],
        )
    )  # fmt: skip
    reasons = [*rows.rejected["reasons"], *rows.warned["reasons"]]
    names = {reason["rule"] for text in reasons for reason in json.loads(text)}
    assert names == {"address", "duplicate_key", "required", "range", "type", "county"}
    assert names <= RULE_NAMES
