"""Mappings are read strictly, and every fault is told with its place."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.examples.counties import DEMO_COUNTIES, configuration_text, mapping_text
from infra.examples.legacy.synthetic import MAPPING
from shared.counties.configuration import CountyConfiguration
from shared.mapping import Diagnostic, MappingError, parse_mapping
from shared.mapping.language.document import MAX_CHARACTERS, MAX_ELEMENTS
from tests.unit.mapping.mappings import HEAD
from tests.unit.mapping.mappings import mapping_text as small

DESIGN_EXAMPLE = """\
source_system_type: PACS_SQL_SERVER
target_schema_version: "1.1"
county_id_default: benton_wa
table_mappings:
  - source_table_name: vwPropertyMaster
    target_table_name: properties_operational
    primary_key_source_fields: [PARID]
    primary_key_target_fields: [property_id]
    watermark_field: LastModified
    field_map:
      - {source: PARID, target: property_id, type: string, required: true,
         transformations: [{type: strip_whitespace}, {type: to_upper}]}
      - {source: CNTYID, target: county_id, type: string, default_from_config: county_id_default}
      - {source: LastSaleDate, target: last_sale_date, type: date,
         transformations: [{type: parse_date, format: "%Y%m%d"}]}
      - {source: LegacyPropertyClass, target: property_class, type: string,
         transformations: [{type: value_map, map: property_class_map, default: UNKNOWN}]}
value_maps:
  property_class_map: {R10: residential, C20: commercial, A05: agricultural}
"""


READS = "source_table_name: parcels"


def problems(text: str) -> list[Diagnostic]:
    with pytest.raises(MappingError) as error:
        parse_mapping(text)
    return error.value.diagnostics


def faults_of(text: str) -> list[Diagnostic]:
    """None, where the text is a mapping; a refusal without a fault would be one itself."""
    try:
        parse_mapping(text)
    except MappingError as error:
        return error.diagnostics or [Diagnostic(0, 0, "", "refused without a fault")]
    return []


def only(text: str) -> Diagnostic:
    (problem,) = problems(text)
    return problem


def test_the_documented_example_is_read() -> None:
    mapping = parse_mapping(DESIGN_EXAMPLE)
    table = mapping.table("properties_operational")
    assert table.watermark_field == "LastModified"
    assert [step.type for step in table.field_map[0].transformations] == ["strip_whitespace", "to_upper"]
    assert mapping.value_maps["property_class_map"]["A05"] == "agricultural"
    assert table.source_fields == {"PARID", "CNTYID", "LastSaleDate", "LegacyPropertyClass", "LastModified"}


@pytest.mark.parametrize("county_id", DEMO_COUNTIES)
def test_the_demo_counties_configurations_and_mappings_are_valid(county_id: str) -> None:
    configuration = CountyConfiguration.model_validate_json(configuration_text(county_id))
    mapping = parse_mapping(mapping_text(county_id))
    assert configuration.county_id == mapping.county_id_default == county_id
    assert configuration.legacy_system_type == mapping.source_system_type


def test_the_synthetic_mapping_is_valid() -> None:
    assert parse_mapping(MAPPING.replace("COUNTY", "some_county")).county_id_default == "some_county"


def test_reading_a_mapping_needs_no_polars() -> None:
    code = "import sys, shared.mapping as m; m.parse_mapping(sys.stdin.read()); assert 'polars' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], input=DESIGN_EXAMPLE, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("field", "element", "message"),
    [
        ("{source: a, target: latitud, type: float}", "target", "did you mean latitude?"),
        ("{source: a, target: latitude, type: string}", "type", "has to be decimal or float or integer, not string"),
        ("{source: a, target: latitude, type: flot}", "type", "'flot' is not one of"),
        ("{source: a, target: latitude, type: float, requierd: true}", "requierd", "this key is not known"),
        ("{source: a, target: latitude}", "type", "this is missing"),
        ("{source: a, target: property_id, type: string}", "target", "is filled by another field already"),
        (
            "{source: a, target: row_hash, type: string}",
            "target",
            "no column of properties_operational named 'row_hash'",
        ),
        ("{source: a, target: location, type: string}", "target", "there is no column"),
        ("{source: a, target: attributes.View, type: string}", "target", "is not an entry's name"),
        ("{source: a, target: condition.x, type: string}", "target", "condition is no JSON column"),
        ("{source: a, target: county_id, type: string}", "target", "a row's county is the run's"),
        ("{target: condition, type: string}", "", "nothing fills this field"),
        ("{source: [a, b], target: condition, type: string}", "source", "need a transformation that joins them"),
        ("{source: a, target: year_built, type: integer, default: new}", "default", "'new' cannot be read as integer"),
        ("{source: a, target: last_sale_date, type: date, default: 2015-02-29}", "default", "cannot be read as date"),
    ],
)
def test_a_fault_of_a_field_is_told_with_its_place(field: str, element: str, message: str) -> None:
    problem = only(small(field))
    assert message in problem.message
    assert (problem.line, problem.path) == (11, "table_mappings[0].field_map[1]" + (f".{element}" if element else ""))
    # the column of the element's name, or of the field where the element is absent
    assert problem.column == 9 + (field.index(f"{element}:") if element and f"{element}:" in field else 0)


@pytest.mark.parametrize(
    ("transformation", "message"),
    [
        ("{type: to_uper}", "no transformation named 'to_uper'; did you mean to_upper?"),
        ("{type: to_upper, x: 1}", "this key is not known"),
        ("{length: 3}", "a transformation has a `type`"),
        ("{type: pad_left}", "this is missing"),
        ("{type: pad_left, length: many}", "whole number"),
        ("{type: value_map, map: m}", "no value map named 'm'"),
        ("{type: scale, factor: 2}", "gives a number"),
        ("{type: scale}", "give either `factor` or `unit`"),
        ("{type: parse_date, format: 'x'}", "is not a format"),
        ("{type: parse_date}", "give either `format` or `formats`"),
        ("{type: parse_date, format: '%Y'}, {type: to_upper}", "works on text, and gets a date"),
        ("{type: parse_timestamp, format: '%Y', timezone: Mars}", "is not a time zone"),
        ("{type: parse_number, decimal: ','}", "have to differ"),
        ("{type: regex_extract, pattern: '('}", "is not a regular expression"),
        ("{type: regex_extract, pattern: '(?=a)(b)'}", "look-around"),
        ("{type: regex_extract, pattern: '(a)\\1'}", "back-references"),
        ("{type: regex_extract, pattern: 'ab'}", "there is no group 1"),
        ("{type: add, weights: [1, 2]}", "1 source(s) and 2 weight(s)"),
    ],
)
def test_a_fault_of_a_transformation_is_told_with_its_place(transformation: str, message: str) -> None:
    found = problems(small(f"{{source: a, target: condition, type: string, transformations: [{transformation}]}}"))
    fitting = [item for item in found if message in item.message]
    assert fitting, found
    assert fitting[0].line == 11
    assert fitting[0].path.startswith("table_mappings[0].field_map[1]")


def test_every_fault_is_told_at_once() -> None:
    text = small("{source: a, target: latitud, type: float}", "{source: b, target: condition, type: integer}")
    assert [(item.line, item.path) for item in problems(text)] == [
        (11, "table_mappings[0].field_map[1].target"),
        (12, "table_mappings[0].field_map[2].type"),
    ]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (("properties_operational", "propertys"), "table_mappings[0].target_table_name", "no table named"),
        (("[property_id]", "[parcel_number]"), "table_mappings[0].primary_key_target_fields", "is property_id"),
        (("[property_id]", "[property_id, county_id]"), "table_mappings[0].primary_key_target_fields", "at most 1"),
        (("[id]", "[]"), "table_mappings[0].primary_key_source_fields", "at least 1"),
        (("benton_wa", "Benton WA"), "county_id_default", "is not a county's id"),
        (('"1.1"', '"9"'), "target_schema_version", "is not one of"),
        ((READS, "source_query: DELETE FROM x"), "table_mappings[0].source_query", "begins with SELECT"),
        ((READS, "source_query: SELECT 1; DROP x"), "table_mappings[0].source_query", "one statement"),
        (("    source_table_name: parcels\n", ""), "table_mappings[0]", "give either"),
        (("source_system_type: TESTING\n", ""), "source_system_type", "this is missing"),
    ],
)  # fmt: skip
def test_a_fault_of_the_table_is_told(change: tuple[str, str], path: str, message: str) -> None:
    text = HEAD.replace(*change) if change[0] in HEAD else HEAD.replace("  - source_table_name: parcels\n    ", "  - ")
    assert any(item.path == path and message in item.message for item in problems(text)), problems(text)


def test_two_mappings_of_one_table_are_refused() -> None:
    table = HEAD.split("table_mappings:\n")[1]
    assert "by another table mapping already" in only(HEAD + table).message


def test_a_required_column_that_nothing_fills_is_told() -> None:
    text = HEAD.replace("properties_operational", "assessments").replace("target: property_id", "target: assessment_id")
    messages = [item.message for item in problems(text.replace("[property_id]", "[assessment_id]"))]
    assert messages == [
        "assessments.property_id is required, and no field fills it",
        "assessments.roll_year is required, and no field fills it",
    ]


def test_codes_stay_as_they_are_written() -> None:
    text = small(
        "{source: a, target: condition, type: string, transformations: [{type: value_map, map: m}]}",
        value_maps="{m: {01: no, 1.10: yes, 2015-01-01: ~, on: 0x1}}",
    )
    assert parse_mapping(text).value_maps["m"] == {"01": "no", "1.10": "yes", "2015-01-01": None, "on": "0x1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a: [", "not YAML"),
        ("a: 'b", "not YAML"),
        ("a: \x07", "not YAML"),
        ("- 1\n- 2", "keys with values"),
        ("just words", "keys with values"),
        ("[" * 5_000, "nested too deeply"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("x" * (MAX_CHARACTERS + 1), "at most"),
        ("a: [" + "1," * MAX_ELEMENTS + "1]", "elements"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, message: str) -> None:
    assert any(message in item.message for item in problems(text))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x: !!python/object/apply:os.system [echo]", "the tag 'python/object/apply:os.system' is not read"),
        ("x: !!binary aGVsbG8=", "the tag 'binary' is not read"),
        ("x: &all [*all]", "aliases"),
        ("value_maps: {}\nvalue_maps: {}", "stands here twice"),
        ('value_maps: {m: {a: "\\0"}}', "NUL"),
    ],
)
def test_what_yaml_can_do_beyond_values_is_refused(line: str, message: str) -> None:
    assert any(message in item.message for item in problems(HEAD + line + "\n"))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_places(text: str) -> None:
    faults = faults_of(text)
    assert all(item.line >= 1 and item.column >= 1 for item in faults)


@given(position=st.integers(0, len(DESIGN_EXAMPLE) - 1), typed=st.characters(codec="utf-8"))
def test_a_slip_of_the_finger_never_breaks_the_parser(position: int, typed: str) -> None:
    text = DESIGN_EXAMPLE[:position] + typed + DESIGN_EXAMPLE[position + 1 :]
    lines = text.count("\n") + 1
    assert all(1 <= item.line <= lines + 1 for item in faults_of(text))
