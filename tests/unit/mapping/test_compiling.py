"""Rows are typed, judged and hashed column by column."""

import json
from datetime import date
from decimal import Decimal
from hashlib import md5

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.examples.counties import DEMO_COUNTIES, mapping_text
from shared.mapping import parse_mapping
from shared.mapping.compile.row_hashes import row_hashes
from shared.mapping.compile.tables import compile_table, mapping_digest
from shared.mapping.targets import target_tables
from tests.unit.mapping.mappings import TODAY, compiled, frame, mapped, values

TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def field(target: str, type_: str) -> str:
    return f"{{source: a, target: {target}, type: {type_}}}"


@pytest.mark.parametrize(
    ("target", "type_", "text", "value"),
    [
        ("year_built", "integer", " 1950 ", 1950),
        ("year_built", "integer", "1950.00", 1950),
        ("year_built", "integer", "1950.5", None),
        ("year_built", "integer", "99999999999", None),
        ("year_built", "integer", "", None),
        ("bathrooms", "decimal", "2.25", Decimal("2.25")),
        ("bathrooms", "integer", "2", Decimal("2.00")),
        ("bathrooms", "decimal", "1000", None),
        ("land_value", "money", "123456789012.34", Decimal("123456789012.34")),
        ("land_value", "money", "1234567890123.34", None),
        ("latitude", "float", "47.5123", 47.5123),
        ("latitude", "float", "NaN", None),
        ("latitude", "float", "inf", None),
        ("last_sale_date", "date", "2016-02-29", date(2016, 2, 29)),
        ("last_sale_date", "date", "2015-02-29", None),
        ("attributes", "json", '{"a": [1]}', '{"a": [1]}'),
        ("attributes", "json", "{a", None),
        ("attributes", "json", '{"a": "\\u0000"}', None),
        ("exemption_flags", "list", "HS, DV,,", '["HS","DV"]'),
        ("exemption_flags", "list", 'a"b', '["a\\"b"]'),
        ("condition", "string", "", ""),
        ("condition", "string", " x ", " x "),
    ],
)
def test_a_text_is_read_as(target: str, type_: str, text: str, value: object) -> None:
    assert values(field(target, type_), text) == [value]


@pytest.mark.parametrize(
    ("target", "type_", "good", "bad"),
    [
        ("year_built", "integer", ["1600", "2027"], ["1599", "2028", "0", "-5"]),
        ("latitude", "float", ["47.5", "-14.3", "71.4"], ["-83.6", "90.1", "4751.2"]),
        ("longitude", "float", ["-122.3", "144.8", "-64.6"], ["41.6", "0", "181"]),
        ("total_value", "money", ["0", "0.01"], ["-0.01"]),
        ("land_area_sqft", "decimal", ["0"], ["-1"]),
        ("last_sale_date", "date", ["1600-01-01", "2026-11-22"], ["1599-12-31", "2026-11-23"]),
    ],
)
def test_a_value_outside_its_range_rejects_the_row(target: str, type_: str, good: list[str], bad: list[str]) -> None:
    rows = mapped(field(target, type_), *good, *bad)
    assert rows.good.height == len(good)
    assert all(json.loads(reasons)[0]["rule"] == "range" for reasons in rows.rejected["reasons"])
    assert rows.rejected.height == len(bad)


def test_every_reason_of_a_bad_row_is_kept_with_the_row() -> None:
    table = compiled(
        "{source: b, target: year_built, type: integer}",
        "{source: c, target: latitude, type: float}",
        "{source: d, target: condition, type: string, required: true}",
    )
    rows = table.apply(frame(id=[None], b=['19"x7'], c=["-122.3"], d=[None]))
    ((source_key, target_key, source_row, reasons),) = rows.rejected.rows()
    assert (source_key, target_key) == ("", None)
    assert json.loads(source_row) == {"id": None, "b": '19"x7', "c": "-122.3", "d": None}
    assert [(item["rule"], item["field"]) for item in json.loads(reasons)] == [
        ("required", "property_id"),
        ("type", "year_built"),
        ("range", "latitude"),
        ("required", "condition"),
    ]
    assert json.loads(reasons)[1]["message"] == "'19\"x7' is not a valid integer"


@given(TEXTS)
def test_whatever_the_source_holds_is_kept_and_told_as_json(text: str | None) -> None:
    rows = compiled(
        field("year_built", "integer"), "{source: b, target: condition, type: string, required: true}"
    ).apply(frame(a=["x"], b=[text]))
    row, reasons = rows.rejected.select("source_row", "reasons").row(0)
    assert json.loads(row)["b"] == text
    assert json.loads(reasons)[0]["message"] == "'x' is not a valid integer"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=100))
def test_a_reason_quotes_any_text(text: str) -> None:
    rows = mapped(field("year_built", "integer"), text)
    assume(not rows.rejected.is_empty())
    (reason,) = json.loads(rows.rejected["reasons"][0])
    if reason["rule"] == "type":
        assert reason["message"] == f"'{text[:80]}' is not a valid integer"


def test_a_key_is_present_and_its_own() -> None:
    rows = compiled(field("year_built", "integer")).apply(
        frame(id=["a", " ", None, "a", "b"], a=["1950", "1950", "1950", "1951", "x"])
    )
    assert rows.good["property_id"].to_list() == ["a"]
    assert rows.good["year_built"].to_list() == [1950]
    rules = [json.loads(reasons)[0]["rule"] for reasons in rows.rejected["reasons"]]
    assert rules == ["required", "required", "duplicate_key", "type"]
    assert rows.keys.to_list() == ["a", " ", "b"]


def test_a_bad_row_does_not_make_a_good_one_of_its_key_a_duplicate() -> None:
    rows = compiled(field("year_built", "integer")).apply(frame(id=["a", "a"], a=["x", "1950"]))
    assert rows.good["year_built"].to_list() == [1950]
    assert rows.rejected.height == 1


def test_the_keys_of_good_rows_are_told_row_by_row() -> None:
    table = compiled(field("year_built", "integer"))
    rows = frame(id=["a", "a", None, "b"], a=["x", "1950", "1950", None])
    assert table.good_keys(rows).to_list() == [None, "a", None, "b"]


def test_entries_make_a_json_object_without_what_is_null() -> None:
    table = compiled(
        "{source: a, target: attributes.view, type: string}",
        "{source: b, target: attributes.area, type: decimal}",
        "{source: c, target: attributes.pool, type: boolean}",
        "{source: d, target: attributes.seen, type: date}",
    )
    rows = table.apply(frame(a=['la"ke', None], b=["10.5000", None], c=["Y", None], d=["2016-02-29", None]))
    first, second = rows.good["attributes"]
    assert json.loads(first) == {"view": 'la"ke', "area": 10.5, "pool": True, "seen": "2016-02-29"}
    assert second is None


@pytest.mark.parametrize(("number", "shown"), [("100", "100"), ("100.50", "100.5"), ("0", "0"), ("-0.0001", "-0.0001")])
def test_a_number_in_json_keeps_its_value(number: str, shown: str) -> None:
    rows = compiled("{source: a, target: attributes.n, type: decimal}").apply(frame(a=[number]))
    assert rows.good["attributes"].to_list() == [f'{{"n":{shown}}}']


def test_a_default_stands_in_for_null_and_not_for_what_cannot_be_read() -> None:
    rows = mapped("{source: a, target: year_built, type: integer, default: 1900}", None, "", "x")
    assert rows.good["year_built"].to_list() == [1900, 1900]
    assert rows.rejected.height == 1


def test_a_row_of_another_county_is_rejected() -> None:
    rows = mapped(
        "{source: a, target: county_id, type: string, default_from_config: county_id_default}",
        "benton_wa",
        None,
        "king_wa",
    )
    assert rows.good.height == 2
    assert "another county's row" in rows.rejected["reasons"][0]
    assert "county_id" not in rows.good.columns


def test_an_absent_column_is_named() -> None:
    with pytest.raises(KeyError, match="has no column a"):
        compiled(field("year_built", "integer")).apply(frame(b=["1"]))


@pytest.mark.parametrize("county_id", DEMO_COUNTIES)
def test_an_empty_frame_is_mapped_to_an_empty_one(county_id: str) -> None:
    mapping = parse_mapping(mapping_text(county_id))
    for table in mapping.table_mappings:
        compiled_table = compile_table(mapping, table.target_table_name, today=TODAY)
        rows = compiled_table.apply(pl.DataFrame(schema=dict.fromkeys(sorted(table.source_fields), pl.String)))
        assert rows.good.is_empty()
        assert rows.rejected.is_empty()
        assert compiled_table.key in target_tables()[table.target_table_name].columns


# --- hashes

ROWS = st.lists(TEXTS, min_size=3, max_size=3)


@given(ROWS, ROWS)
def test_rows_hash_alike_exactly_when_they_are_alike(first: list[str | None], second: list[str | None]) -> None:
    one, other = (
        row_hashes(pl.DataFrame([row], schema=dict.fromkeys("abc", pl.String), orient="row"), "abc")[0]
        for row in (first, second)
    )
    assert (one == other) is (first == second)


SPECIAL = st.lists(
    st.sampled_from([None, "", "\x1d", "\x1e", "\x1f", "\x1dd", "\x1de", "d", "e", "f"]), min_size=3, max_size=3
)


@given(SPECIAL, SPECIAL)
def test_no_content_is_taken_for_a_separator(first: list[str | None], second: list[str | None]) -> None:
    together = pl.DataFrame([first, second], schema=dict.fromkeys("abc", pl.String), orient="row")
    hashes = row_hashes(together, "abc")
    assert (hashes[0] == hashes[1]) is (first == second)
    alone = row_hashes(together.head(1), "abc")
    assert alone[0] == hashes[0]


def test_hashes_are_what_they_were() -> None:
    """A changed hash would make every row of every county a changed one: raise RULES_VERSION, and know it."""
    rows = pl.DataFrame(
        {
            "text": ["straße", None, ""],
            "number": [1, -1, None],
            "money": [Decimal("1.50"), None, Decimal("0.00")],
            "degrees": [-122.336, 0.1, -0.0],
            "day": [date(2016, 2, 29), None, date(1999, 1, 1)],
            "flag": [True, False, None],
        },
        schema_overrides={"money": pl.Decimal(14, 2)},
    )
    head = "day\x1fdegrees\x1fflag\x1fmoney\x1fnumber\x1ftext\x1f"
    lines = [
        "2016-02-29\x1f-122336000000\x1ftrue\x1f1.50\x1f1\x1fstraße",
        "\x1e\x1f100000000\x1ffalse\x1f\x1e\x1f-1\x1f\x1e",
        "1999-01-01\x1f0\x1f\x1e\x1f0.00\x1f\x1e\x1f",
    ]
    expected = [md5((head + line).encode(), usedforsecurity=False).hexdigest() for line in lines]
    assert row_hashes(rows, rows.columns).to_list() == expected
    assert expected[0] == "d19a9823752066f72fbebaf19803f8cc"


def test_the_order_of_columns_and_rows_around_do_not_matter() -> None:
    rows = pl.DataFrame({"a": ["1", "2"], "b": ["x", "y\x1f"]})
    assert row_hashes(rows, ["a", "b"]).to_list() == row_hashes(rows.select("b", "a"), ["b", "a"]).to_list()
    assert row_hashes(rows, ["a", "b"])[0] == row_hashes(rows.head(1), ["a", "b"])[0]


def test_other_columns_give_other_hashes() -> None:
    rows = pl.DataFrame({"a": ["1"], "b": ["1"]})
    assert row_hashes(rows, ["a"])[0] != row_hashes(rows, ["b"])[0]


def test_the_mappings_digest_changes_with_what_decides_a_row_and_not_with_the_rest() -> None:
    text = mapping_text("king_wa")
    before = mapping_digest(parse_mapping(text), "sales")
    assert mapping_digest(parse_mapping("# a comment\n" + text), "sales") == before
    assert mapping_digest(parse_mapping(text.replace('"15": multi_parcel', '"15": valid')), "sales") != before


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "", None]), st.sampled_from(["1950", "x", "1", None])), max_size=6)
)
def test_what_is_explained_of_a_row_is_what_becomes_of_it(rows: list[tuple[str | None, str | None]]) -> None:
    table = compiled(field("year_built", "integer"))
    source = frame(id=[key for key, _ in rows], a=[built for _, built in rows])
    mapped_rows, explained = table.apply(source), table.explain(source)
    reported = [row for row in explained.iter_rows(named=True) if row["rejected"] != "[]"]
    assert [row["source_row"] for row in reported] == mapped_rows.rejected["source_row"].to_list()
    assert [row["rejected"] for row in reported] == mapped_rows.rejected["reasons"].to_list()
    good = [json.loads(row["result"])["property_id"] for row in explained.iter_rows(named=True) if row not in reported]
    assert good == mapped_rows.good["property_id"].to_list()
