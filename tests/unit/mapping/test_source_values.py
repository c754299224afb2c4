"""Information of a source about its values: one that could not be read, a column of a numeric type."""

import json
from collections.abc import Sequence

import polars as pl
import pytest

from shared.mapping import VALUE_FAULTS, MappingError, parse_mapping, value_fault
from shared.mapping.compile.tables import compile_table
from tests.unit.mapping.mappings import TODAY, mapped, mapping_text, values

CELL = "cell F3 is an error (#N/A), which is no value"
SOLD = "{{source: a, target: last_sale_date, type: date, transformations: [{{type: parse_timestamp, {}}}]}}"


def faulty(*lines: str | None, **columns: Sequence[str | None]) -> pl.DataFrame:
    rows = len(lines)
    numbers = [str(number) for number in range(rows)]
    whole: dict[str, Sequence[str | None]] = {"id": numbers, **columns, VALUE_FAULTS: lines}
    return pl.DataFrame(whole, schema=dict.fromkeys(whole, pl.String))


def test_a_value_that_the_source_could_not_read_rejects_the_row_that_needs_it_and_no_other() -> None:
    source = faulty(value_fault("a", CELL), value_fault("b", CELL), None, a=[None, "2", "3"], b=["1", None, "3"])
    table = compile_table(
        parse_mapping(mapping_text("{source: a, target: year_built, type: integer, required: true}")),
        "properties_operational", today=TODAY,
    )  # fmt: skip
    mapped_rows = table.apply(source.with_columns(pl.Series("a", [None, "1990", "1991"])))
    assert mapped_rows.good["property_id"].to_list() == ["1", "2"]
    (reason,) = json.loads(mapped_rows.rejected["reasons"][0])
    assert reason == {"rule": "unreadable_value", "field": "year_built", "message": CELL}
    assert mapped_rows.keys.to_list() == ["0", "1", "2"]


def test_it_is_a_warning_where_the_mapping_says_so_or_the_column_is_kept_without_being_mapped() -> None:
    text = mapping_text("{source: a, target: year_built, type: integer, unreadable: warn}")
    kept = text + "    attributes: {unmapped: keep}\n"
    source = faulty("\n".join([value_fault("a", CELL), value_fault("b c", CELL)]), a=[None], **{"b c": [None]})
    mapped_rows = compile_table(parse_mapping(kept), "properties_operational", today=TODAY).apply(source)
    assert mapped_rows.good["year_built"].to_list() == [None]
    reasons = {item["field"]: item["message"] for item in json.loads(mapped_rows.warned["reasons"][0])}
    assert reasons == {"year_built": CELL, "attributes": f"b c: {CELL}"}


def test_kept_columns_of_numbers_stay_numbers_and_codes_stay_texts() -> None:
    text = mapping_text() + "    attributes: {unmapped: keep}\n"
    columns = {"garage": ["2", "0.50", "-1", "007", "x"], "code": ["2", "3", "4", "5", "6"]}
    table = compile_table(parse_mapping(text), "properties_operational", today=TODAY, numeric_columns={"garage"})
    mapped_rows = table.apply(faulty(*[None] * 5, **columns))
    kept = [json.loads(item) for item in mapped_rows.good["attributes"]]
    assert [item["garage"] for item in kept] == [2, 0.5, -1, "007", "x"]
    assert [item["code"] for item in kept] == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2023-12-31 17:30:00.25-08", "2023-12-31"), ("2024-01-01 01:30:00+00", "2023-12-31"),
        ("2024-01-01T01:30:00Z", "2023-12-31"), ("2023-12-31 17:30:00-0800", "2023-12-31"),
        ("2024-07-01 06:59:00+00:00", "2024-06-30"), ("infinity", None), ("2024-01-01 01:30:00", None),
    ],
)  # fmt: skip
def test_a_moment_with_an_offset_is_of_the_countys_own_day(written: str, day: str | None) -> None:
    field = SOLD.format('formats: ["%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"]')
    table = compile_table(
        parse_mapping(mapping_text(field)), "properties_operational", today=TODAY, timezone="America/Los_Angeles"
    )
    mapped_rows = table.apply(faulty(None, a=[written]))
    assert [str(item) for item in mapped_rows.good["last_sale_date"]] == ([day] if day else [])


def test_a_boolean_of_the_sources_own_type_is_read_whichever_words_are_listed() -> None:
    field = (
        "{source: a, target: attributes.homestead, type: boolean,"
        " transformations: [{type: parse_boolean, 'true': ['01'], 'false': ['00']}]}"
    )
    mapped_rows = mapped(field, "true", "01", "false", "00", "2")
    assert [json.loads(item)["homestead"] for item in mapped_rows.good["attributes"]] == [True, True, False, False]


def test_fractions_of_a_cent_are_said() -> None:
    field = "{source: a, target: total_value, type: money}"
    mapped_rows = mapped(field, "100.005", "100.10", "100.1000", "7")
    assert [str(item) for item in mapped_rows.good["total_value"]][1:] == ["100.10", "100.10", "7.00"]
    assert mapped_rows.warned["source_key"].to_list() == ["0"]
    assert "'100.005' has fractions of a cent, and is rounded" in mapped_rows.warned["reasons"][0]
    assert values("{source: a, target: stories, type: decimal}", "1.5") is not None


CONSTANT = "{{target: {}, type: {}, transformations: [{{type: constant, value: {}}}{}]}}"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (CONSTANT.format("last_sale_date", "date", "06/30/2018", ""), "'06/30/2018' cannot be read as date"),
        (
            CONSTANT.format("last_sale_date", "date", "06/30/2018", ", {type: parse_date, format: '%Y%m%d'}"),
            "'06/30/2018' has none of the formats %Y%m%d",
        ),
        (CONSTANT.format("year_built", "integer", "old", ""), "cannot be read as integer"),
        ("{source: a, target: appraised_value, type: money}", "did you mean total_value?"),
        ("{source: a, target: APN, type: string}", "did you mean parcel_number?"),
        ("{source: a, target: building_value, type: money}", "did you mean improvement_value?"),
    ],
)
def test_what_no_row_could_have_is_refused_with_the_mapping(field: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(mapping_text(field))
    assert any(said in item.message for item in refused.value.diagnostics), refused.value.diagnostics


def test_a_constant_that_its_format_reads_is_none_of_them() -> None:
    field = CONSTANT.format("last_sale_date", "date", "06/30/2018", ", {type: parse_date, format: '%m/%d/%Y'}")
    assert parse_mapping(mapping_text(field)).table_mappings
