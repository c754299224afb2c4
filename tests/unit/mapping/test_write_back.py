"""The way back of a mapping: its errors with their lines, and the inverse of a field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping import MappingError, parse_mapping
from shared.mapping.language.inversion import NotInvertibleError, canonical, inversion_error, invert, written_columns
from shared.mapping.language.model import FieldMap, FieldType

MAPPING = """\
source_system_type: TESTING
target_schema_version: "1.1"
county_id_default: testing_wa
table_mappings:
  - source_query: SELECT * FROM roll
    target_table_name: assessments
    primary_key_source_fields: [id]
    primary_key_target_fields: [assessment_id]
    field_map:
      - {source: id, target: assessment_id, type: string, required: true}
      - {source: pid, target: property_id, type: string, required: true, transformations: [{type: to_upper}]}
      - {source: yr, target: roll_year, type: integer, required: true}
      - {source: total, target: total_value, type: money}
      - {source: class, target: property_class, type: string, transformations: [{type: value_map, map: classes}]}
      - {source: [a, b], target: land_value, type: money, transformations: [{type: add}]}
value_maps:
  classes: {R: residential, C: commercial}
"""
WAY = """\
write_back:
  format: sql
  dialect: sqlserver
  tables:
    - target_table_name: assessments
      source_table_name: dbo.roll
      where: {cur: "Y"}
      columns: [{target: total_value}]
"""
FIRST = MAPPING.count("\n")
"""Lines before the way back."""


def errors(way: str, mapping: str = MAPPING) -> list[tuple[int, str]]:
    """The errors of a way back: its own line numbers, and the messages."""
    with pytest.raises(MappingError) as caught:
        parse_mapping(mapping + way)
    return [(error.line - FIRST, error.message) for error in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("dialect: sqlserver", "dialect: mysql", 3, "'mysql' is not one of: 'sqlserver', 'oracle', 'postgresql'"),
        ("  dialect: sqlserver\n", "", 2, "a script (`sql`) has a `dialect`, a file has none"),
        ("format: sql", "format: csv", 2, "a script (`sql`) has a `dialect`, a file has none"),
        (
            "target_table_name: assessments",
            "target_table_name: assesments",
            5,
            "there is no table mapping named 'assesments'; did you mean assessments?",
        ),
        (
            "      source_table_name: dbo.roll\n",
            "",
            5,
            "the rows come from a query: `source_table_name` has to say which table is changed",
        ),
        (
            "target: total_value",
            "target: total_valu",
            8,
            "there is no field of the table mapping named 'total_valu'; did you mean total_value?",
        ),
        (
            "target: total_value",
            "target: land_value",
            8,
            "land_value cannot be written back: land_value is made of 2 columns",
        ),
        ("target: total_value", "target: assessment_id", 8, "assessment_id is the key: it does not change"),
        ('cur: "Y"', 'id: "Y"', 5, "id stands twice among `key`, `where` and the columns that go back"),
        ('where: {cur: "Y"}', "wher: {}", 7, "this key is not known; did you mean where?"),
        ('where: {cur: "Y"}', "column_types: {x: text}", 7, "x is no column of this way back"),
        (
            'where: {cur: "Y"}',
            "key: [idd]",
            7,
            "there is no column that the table mapping reads named 'idd'; did you mean id?",
        ),
        ("dbo.roll", '"dbo.ro\\nll"', 5, "'ro\\nll' cannot be the name of a column or of a table"),
        ('where: {cur: "Y"}', "positions: {id: {start: 1, length: 3}}", 7, "positions are those of `fixed_width`"),
    ],
)  # fmt: skip
def test_an_error_stands_with_its_line(old: str, new: str, line: int, message: str) -> None:
    assert (line, message) in errors(WAY.replace(old, new))


def test_places_of_a_line_do_not_overlap() -> None:
    way = WAY.replace("format: sql\n  dialect: sqlserver", "format: fixed_width").replace(
        'where: {cur: "Y"}', "positions: {id: {start: 1, length: 3}, total: {start: 3, length: 9}}"
    )
    assert [message for _, message in errors(way)] == ["total begins within id"]
    assert [message for _, message in errors(way.replace("start: 3", "start: x"))]
    assert parse_mapping(MAPPING + way.replace("start: 3", "start: 4")).write_back is not None


def test_one_value_of_several_codes_has_no_inverse() -> None:
    several = MAPPING.replace("C: commercial", "C: commercial, D: commercial")
    message = "property_class cannot be written back: its value map gives one value to several codes"
    assert message in [text for _, text in errors(WAY.replace("total_value", "property_class"), several)]


def test_by_default_all_that_can_be_inverted_goes_back() -> None:
    mapping = parse_mapping(MAPPING + WAY.replace("      columns: [{target: total_value}]\n", ""))
    assert mapping.write_back is not None
    columns = written_columns(mapping, mapping.table("assessments"), mapping.write_back.tables[0])
    assert list(columns) == ["pid", "yr", "total", "class"]


def field(type_: FieldType, *transformations: dict[str, Any]) -> FieldMap:
    return FieldMap.model_validate(
        {"source": "a", "target": "total_value", "type": type_, "transformations": list(transformations)}
    )


VALUE_MAPS: dict[str, dict[str, str | None]] = {"classes": {"R": "residential", "C": "commercial", "?": None}}


@pytest.mark.parametrize(
    ("own", "value", "text"),
    [
        (field(FieldType.MONEY), 1500.5, "1500.5"),
        (field(FieldType.MONEY, {"type": "null_if", "values": ["0", "-"]}), None, "0"),
        (field(FieldType.DATE, {"type": "parse_date", "format": "%Y%m%d"}), "2025-01-31", "20250131"),
        (field(FieldType.DATE), "2025-01-31", "2025-01-31"),
        (field(FieldType.STRING, {"type": "value_map", "map": "classes"}), "commercial", "C"),
        (field(FieldType.STRING, {"type": "value_map", "map": "classes"}), None, "?"),
        (field(FieldType.STRING, {"type": "strip_whitespace"}, {"type": "to_upper"}), "A", "A"),
        (field(FieldType.INTEGER), 1200, "1200"),
    ],
)
def test_the_inverse_of_a_field(own: FieldMap, value: Any, text: str) -> None:
    assert inversion_error(own, VALUE_MAPS) is None
    assert invert(own, VALUE_MAPS, canonical(value, own.type)) == text


def test_a_value_that_no_code_has_is_refused() -> None:
    with pytest.raises(NotInvertibleError, match="no code for 'industrial'"):
        invert(field(FieldType.STRING, {"type": "value_map", "map": "classes"}), VALUE_MAPS, "industrial")


@pytest.mark.parametrize(
    "own",
    [
        field(FieldType.MONEY, {"type": "scale", "factor": 2}),
        field(FieldType.DATE, {"type": "parse_date", "formats": ["%Y%m%d", "%Y"]}),
        field(FieldType.DATE, {"type": "parse_date", "format": "%y%m%d"}),
        field(FieldType.TIMESTAMP),
    ],
)
def test_what_has_no_inverse_says_why(own: FieldMap) -> None:
    assert inversion_error(own, VALUE_MAPS)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_a_number_is_the_same_whatever_its_zeros(number: Any) -> None:
    text = canonical(number, FieldType.MONEY)
    assert text == canonical(f"{number}0", FieldType.MONEY)
    assert text is not None
    assert "E" not in text
