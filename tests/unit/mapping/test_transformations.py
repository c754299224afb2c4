"""Each transformation of the language, on values that legacy systems hold."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.reference import transformations_table
from shared.mapping.transformations import TRANSFORMATIONS
from shared.mapping.transformations.step import ValueKind
from tests.unit.mapping.mappings import compiled, frame, mapped, values

TEXT = "{{source: a, target: condition, type: string, transformations: [{}]}}"
MONEY = "{source: a, target: land_value, type: money, transformations: [{type: parse_number}]}"
DATE = "{{source: a, target: last_sale_date, type: date, transformations: [{{type: parse_date, {}}}]}}"


def text(transformation: str) -> str:
    return TEXT.format(transformation)


@pytest.mark.parametrize(
    ("transformation", "before", "after"),
    [
        ("{type: strip_whitespace}", " a b\t\n", "a b"),
        ("{type: strip_whitespace}", "  ", ""),
        ("{type: to_upper}", "straße", "STRASSE"),
        ("{type: to_lower}", "ÄB", "äb"),
        ("{type: pad_left, length: 5}", "12", "00012"),
        ("{type: pad_left, length: 2, fill: ' '}", "123", "123"),
        ("{type: null_if, values: ['', '0']}", "0", None),
        ("{type: null_if, values: ['', '0']}", "00", "00"),
        ("{type: split, separator: '-', index: 1}", "a-b-c", "b"),
        ("{type: split, separator: '-', index: -1}", "a-b-c", "c"),
        ("{type: split, separator: '-', index: 3}", "a-b-c", None),
        ("{type: regex_extract, pattern: '([0-9]+)'}", "LOT 12 BLK 3", "12"),
        ("{type: regex_extract, pattern: '([0-9]+)'}", "none", None),
        ("{type: constant, value: x}", None, "x"),
        ("{type: concat}", "a", "a"),
        ("{type: coalesce}", " ", None),
        ("{type: pad_right, length: 4}", "ab", "ab  "),
        ("{type: replace, text: '-'}", "12-34-5", "12345"),
        ("{type: replace, text: '$1', by: '.'}", "a$1b", "a.b"),
        ("{type: substring, start: 2, length: 2}", "añbc", "ñb"),
        ("{type: substring, start: 3}", "ab", ""),
        ("{type: parse_boolean, true: [J], false: [N]}, {type: to_upper}", " j ", "TRUE"),
    ],
)
def test_a_text_becomes(transformation: str, before: str | None, after: str | None) -> None:
    assert values(text(transformation), before) == [after]


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, step in TRANSFORMATIONS.items()
        if not step.generates and step.min_sources == 1 and ValueKind.NUMBER not in step.accepts
    ],
)
def test_null_stays_null(name: str) -> None:
    parameters = {
        "pad_left": ", length: 3", "null_if": ", values: [x]", "split": ", separator: '-', index: 0",
        "regex_extract": ", pattern: '(a)'", "value_map": ", map: m", "parse_date": ", format: '%Y%m%d'",
        "parse_timestamp": ", format: '%Y%m%d'", "pad_right": ", length: 3", "replace": ", text: a",
        "substring": ", start: 1", "parse_boolean": ", true: [a], false: [b]",
    }.get(name, "")  # fmt: skip
    if name == "lookup":
        pytest.skip("needs a lookup: see test_lookups")
    rows = mapped(text(f"{{type: {name}{parameters}}}"), None, value_maps="{m: {a: b}}")
    assert rows.good["condition"].to_list() == [None]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1234.5", "1234.50"), ("$1,234.50", "1234.50"), (" 1,234,567 ", "1234567.00"), ("(5)", None), ("+7", "7.00"),
        ("$ 12", "12.00"), (".5", "0.50"), ("5.", "5.00"), ("0", "0.00"), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_written_numbers_are_read(written: str, read: str | None) -> None:
    assert values(MONEY, written) == [None if read is None else Decimal(read)]


@pytest.mark.parametrize(
    "written",
    ["1,23", "1,2345", "12,34,567", "1.2.3", "abc", "1e5", "--5", "(5", "5)", "(-5)", "-(5)", "NaN", "∞", "1 2", "٣"],
)
def test_what_is_no_number_rejects_its_row(written: str) -> None:
    rows = mapped(MONEY, written)
    assert rows.good.is_empty()
    assert '"rule":"parse_number"' in rows.rejected["reasons"][0]


@pytest.mark.parametrize("written", ["-5", "- 5", "5-", "5 -", "(5)", "($5.00)", "-$5", "$-5"])
def test_every_way_to_write_minus_is_read(written: str) -> None:
    rows = mapped(MONEY, written)
    assert "'-5.00' is out of range: 0 or more" in rows.rejected["reasons"][0]


@given(st.decimals(0, 10**11, places=2))
def test_a_number_with_grouped_thousands_is_what_it_was_without(number: Decimal) -> None:
    assert values(MONEY, f"${number:,}", f"{number}") == [number, number]


def test_other_conventions_of_numbers_are_parameters() -> None:
    number = "{type: parse_number, currency: EUR, thousands: ., decimal: ','}"
    field = f"{{source: a, target: land_value, type: money, transformations: [{number}]}}"
    assert values(field, "EUR 1.234,50", "1234,5") == [Decimal("1234.50"), Decimal("1234.50")]


@pytest.mark.parametrize(
    ("formats", "written", "read"),
    [
        ('format: "%Y%m%d"', "20160229", date(2016, 2, 29)),
        ('format: "%Y%m%d"', " 20160229 ", date(2016, 2, 29)),
        ('format: "%m/%d/%Y"', "02/29/2000", date(2000, 2, 29)),
        ('format: "%d-%b-%Y"', "05-Mar-1998", date(1998, 3, 5)),
        ('formats: ["%Y-%m-%d", "%m/%d/%Y"]', "7/4/1999", date(1999, 7, 4)),
        ('format: "%m/%d/%y"', "01/02/69", None),
        ('format: "%m/%d/%y"', "01/02/70", date(1970, 1, 2)),
        ('format: "%m/%d/%y"', "01/02/26", date(2026, 1, 2)),
        ('format: "%Y%m%d"', "", None),
        ('format: "%m/%d/%y", pivot: 26', "01/02/27", date(1927, 1, 2)),
        ('format: "%m/%d/%y", pivot: 26', "01/02/26", date(2026, 1, 2)),
        ('format: "%m/%d/%y", pivot: 0', "02/29/68", date(1968, 2, 29)),
        ('format: "%m/%d/%y", pivot: 0', "02/29/00", date(2000, 2, 29)),
        ('formats: ["%m/%d/%y", "%m/%d/%Y"], pivot: 26', "7/4/1999", date(1999, 7, 4)),
    ],
)
def test_written_dates_are_read(formats: str, written: str, read: date | None) -> None:
    assert values(DATE.format(formats), written) == [read]


@pytest.mark.parametrize("written", ["20150229", "19000229", "20151301", "2015", "201501011", "00000000", "abc"])
def test_what_is_no_day_rejects_its_row(written: str) -> None:
    rows = mapped(DATE.format('format: "%Y%m%d"'), written)
    assert '"rule":"parse_date"' in rows.rejected["reasons"][0]


@given(st.dates(date(1600, 1, 1), date(2026, 11, 22)))
def test_every_day_that_is_written_is_read_back(day: date) -> None:
    assert values(DATE.format('format: "%Y%m%d"'), f"{day.year:04}{day.month:02}{day.day:02}") == [day]


def test_a_clock_time_of_the_county_becomes_the_day_that_it_says() -> None:
    field = (
        "{source: a, target: last_sale_date, type: date, transformations:"
        " [{type: parse_timestamp, format: '%Y-%m-%d %H:%M', timezone: America/Los_Angeles}]}"
    )
    # spring leaves 02:30 out
    assert values(field, "2015-01-01 17:00", "2015-03-08 02:30") == [date(2015, 1, 1), None]
    assert datetime(2015, 1, 2, 1, tzinfo=UTC).date() == date(2015, 1, 2)


def test_a_code_is_translated_defaulted_or_rejected() -> None:
    maps = "{m: {a: apple, b: null}}"
    rejecting = mapped(text("{type: value_map, map: m}"), "a", "b", "z", None, value_maps=maps)
    assert rejecting.good["condition"].to_list() == ["apple", None, None]
    assert "'z' is not in the value map m" in rejecting.rejected["reasons"][0]
    assert values(text("{type: value_map, map: m, default: other}"), "a", "b", "z", None, value_maps=maps) == [
        "apple", None, "other", None,
    ]  # fmt: skip
    assert values(text("{type: value_map, map: m, default: null}"), "z", value_maps=maps) == [None]


def joined(transformation: str, **columns: list[str | None]) -> pl.Series:
    names = ", ".join(columns)
    reads_numbers = re.search("add|subtract|multiply|divide", transformation)
    target = "land_value, type: money" if reads_numbers else "condition, type: string"
    field = f"{{source: [{names}], target: {target}, transformations: [{transformation}]}}"
    rows = compiled(field).apply(frame(**columns))
    return rows.good[target.split(",")[0]]


def test_sources_are_joined() -> None:
    columns: dict[str, list[str | None]] = {"a": ["1", None, " ", None], "b": ["MAIN", "MAIN", "MAIN", ""]}
    assert joined("{type: concat}", **columns).to_list() == ["1 MAIN", "MAIN", "MAIN", None]
    assert joined("{type: concat, separator: '-'}", **columns).to_list() == ["1-MAIN", "MAIN", "MAIN", None]
    assert joined("{type: coalesce}", **columns).to_list() == ["1", "MAIN", "MAIN", None]
    assert joined("{type: pad_left, length: 3}, {type: coalesce}", **columns).to_list()[0] == "001"


def test_numbers_are_added_with_weights() -> None:
    columns: dict[str, list[str | None]] = {"a": ["1", "2", None, None], "b": ["3", None, "1", None]}
    assert joined("{type: add, weights: [1, 0.5]}", **columns).to_list() == [
        Decimal("2.50"), Decimal("2.00"), Decimal("0.50"), None,
    ]  # fmt: skip


@given(st.lists(st.decimals(0, 10**9, places=2), min_size=2, max_size=2))
def test_money_is_added_exactly(amounts: list[Decimal]) -> None:
    first, second = amounts
    assert joined("{type: add}", a=[str(first)], b=[str(second)]).to_list() == [first + second]


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        ("unit: acres_to_sqft", "0.25", "10890.00"),
        ("unit: acres_to_sqft", "x", None),
        ("factor: 1000", "12.5", "12500.00"),
        ("factor: 0.001, digits: 0", "1500", "2.00"),
        ("unit: sqm_to_sqft", "100", "1076.39"),
        ("unit: hectares_to_sqft", "", None),
    ],
)
def test_units_are_converted(parameters: str, before: str, after: str | None) -> None:
    field = f"{{source: a, target: land_area_sqft, type: decimal, transformations: [{{type: scale, {parameters}}}]}}"
    assert values(field, before) == [None if after is None else Decimal(after)]


@pytest.mark.parametrize(
    ("transformation", "first", "second", "result"),
    [
        ("{type: subtract}", "10", "2.5", "7.50"),
        ("{type: multiply}", "0.1", "3", "0.30"),
        ("{type: multiply}", None, "3", None),
        ("{type: divide, digits: 1}", "10", "4", "2.50"),
        ("{type: divide}", "10", " ", None),
        ("{type: divide, by_zero: 'null'}", "10", "0", None),
    ],
)
def test_numbers_are_calculated_with(
    transformation: str, first: str | None, second: str | None, result: str | None
) -> None:
    found = joined(transformation, a=[first], b=[second]).to_list()
    assert found == [None if result is None else Decimal(result).quantize(Decimal("0.01"))]


@pytest.mark.parametrize(("second", "rule"), [("0", "is divided by zero"), ("x", "is divided by zero")])
def test_what_cannot_be_calculated_rejects_its_row(second: str, rule: str) -> None:
    field = "{source: [a, b], target: land_value, type: money, transformations: [{type: divide}]}"
    rows = compiled(field).apply(frame(a=["1"], b=[second]))
    assert rows.good.is_empty()
    assert rule in rows.rejected["reasons"][0]


def test_words_for_yes_and_no_are_the_countys_own() -> None:
    field = (
        "{source: a, target: attributes.pool, type: boolean,"
        " transformations: [{type: parse_boolean, true: [J, 'JA'], false: ['N']}]}"
    )
    assert compiled(field).apply(frame(a=["ja", "n", "", None])).good["attributes"].to_list() == [
        '{"pool":true}', '{"pool":false}', None, None,
    ]  # fmt: skip
    assert "cannot be read by parse_boolean" in compiled(field).apply(frame(a=["x"])).rejected["reasons"][0]


GEOMETRY = "{{source: {}, target: geometry, type: geometry, transformations: [{}]}}"


@pytest.mark.parametrize(
    "shape",
    [
        "POINT (-122.5 47.5)", "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 1))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5), (5.5 5.2, 5.6 5.2, 5.6 5.3, 5.5 5.2)))",
        " point(1e2 -.5)", "POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1))", "SRID=4326;POINT (1 2)",
    ],
)  # fmt: skip
def test_well_known_text_becomes_the_same_shape(shape: str) -> None:
    rows = mapped(GEOMETRY.format("a", "{type: parse_wkt}"), shape)
    text = rows.good["geometry"][0]
    assert text.startswith("\\x")
    expected = shapely.force_2d(shapely.from_wkt(shape.partition(";")[2] or shape.strip()))
    assert shapely.from_wkb(bytes.fromhex(text[2:])).equals(expected)


@pytest.mark.parametrize(
    "text",
    [
        "LINESTRING (0 0, 1 1)",
        "POLYGON ((0 0, 1 0, 1 1))",
        "POINT (1)",
        "POINT (1 2",
        "x",
        "POINT (nan 1)",
        "()",
        f"POINT ({'1' * 5000} 2)",
    ],
)
def test_what_is_no_shape_of_a_parcel_rejects_its_row(text: str) -> None:
    assert "parse_wkt" in mapped(GEOMETRY.format("a", "{type: parse_wkt}"), text).rejected["reasons"][0]


def test_an_empty_shape_is_null() -> None:
    rows = mapped(GEOMETRY.format("a", "{type: parse_wkt}"), "POLYGON EMPTY", "", None)
    assert rows.good["geometry"].to_list() == [None, None, None]


def test_a_point_is_made_of_longitude_and_latitude() -> None:
    field = GEOMETRY.format("[a, b]", "{type: point}")
    rows = compiled(field).apply(frame(a=["-122.5", None], b=["47.5", "1"]))
    assert rows.good["geometry"].to_list() == ["\\x" + shapely.Point(-122.5, 47.5).wkb_hex.lower(), None]


@pytest.mark.parametrize("cut", [0, 2, 10])
@pytest.mark.parametrize("prefix", ["", "0x", "\\x"])
def test_well_known_binary_is_taken_whole_or_not_at_all(cut: int, prefix: str) -> None:
    shape = shapely.box(0, 0, 1, 1).wkb_hex
    rows = mapped("{source: a, target: geometry, type: geometry}", prefix + shape[: len(shape) - cut])
    assert rows.good.height == (0 if cut else 1)


def test_the_documentation_names_every_transformation_and_parameter() -> None:
    table = transformations_table()
    for name, step in TRANSFORMATIONS.items():
        (line,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
        assert all(f"`{parameter}`" in line for parameter in step.model_fields if parameter != "type")
        assert step.__doc__
