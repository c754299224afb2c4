"""Filters as text and as JSON: what is read, what is refused, and where the fault is said to be."""

import json
from contextlib import suppress
from typing import Any

import pytest
from cql2 import parse_text
from hypothesis import given
from hypothesis import strategies as st

from shared.cql2 import (
    FilterError,
    GeometryQueryable,
    Queryable,
    Queryables,
    compile_filter,
    read_filter,
    text_encoding,
)
from shared.cql2.json_encoding import MAX_DEPTH
from shared.cql2.reading import MAX_FILTER_BYTES
from shared.cql2.text_encoding import MAX_OPERATORS, MAX_PARENTHESES, text_to_json

QUERYABLES = Queryables(
    {
        "name": Queryable("name", "text", "t.name"),
        "value": Queryable("value", "real", "t.value"),
        "sold": Queryable("sold", "date", "t.sold"),
        "seen": Queryable("seen", "datetime", "t.seen"),
        "vacant": Queryable("vacant", "boolean", "t.vacant"),
    },
    GeometryQueryable("geom", "t.shape IS NOT NULL", ("t.west", "t.south", "t.east", "t.north")),
)


def refusal(content: str | dict[str, Any], language: Any = "cql2-text") -> FilterError:
    with pytest.raises(FilterError) as refused:
        compile_filter(read_filter(content, language), QUERYABLES)
    return refused.value


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("(" * 2000 + "value=1" + ")" * 2000, f"nested {MAX_PARENTHESES} deep at most; see character 51"),
        ("value=" + "-" * 4000 + "1", f"4,000 operators (NOT, arithmetic); {MAX_OPERATORS} are taken"),
        ("not " * 4000 + "value=1", f"4,000 operators (NOT, arithmetic); {MAX_OPERATORS} are taken"),
        ("value=" + "+".join(["1"] * 4000), "operators (NOT, arithmetic)"),
        ("name='" + "x" * (1 << 20) + "'", f"1,048,583 bytes; {MAX_FILTER_BYTES:,} are taken"),
        ("", "at character 1, at its end"),
        ("value =", "at character 8, at its end"),
        ("value = 1 value", "at character 11, near 'value'"),
        ("name = 'x' AND (value = 1 AND (sold 3))", "at character 37, near '3))'"),
        ("name = 'x", "quotation that begins at character 8 of the filter does not end"),
        ("(value = 1", "parenthesis at character 1 of the filter is not closed"),
        ("value = 1)", "at character 10, near ')'"),
        ("value in ((1,2),(3,4))", "A list holds values, no lists; see character 11"),
        ("\x01 = 1", "control character"),
        ("price > 1", "no property 'price'; there are: name, seen, sold, vacant, value"),
        ("value > 'a'", "cannot be compared: number and text"),
        ("name = 1", "cannot be compared: text and number"),
        ("sold > 'yesterday'", "'yesterday' is no date"),
        ("sold > DATE('2023-02-30')", "'2023-02-30' is no date"),
        ("seen > TIMESTAMP('2023-02-20T25:00:00Z')", "no time of a day"),
        ("vacant > true", "have no order"),
        ("value", "this is a number"),
        ("value = null", "ask with IS NULL"),
        ("value = 1e400", "beyond the range"),
        ("name LIKE name", "pattern of LIKE is a text"),
        ("name LIKE 'x\\'", "backslash that escapes nothing"),
        ("value LIKE 'x'", "takes a text, no number"),
        ("casei(value) = '1'", "casei takes a text, no number"),
        ("soundex(name) = 'x'", "no function 'soundex'"),
        ("name + 1 = 2", "Arithmetic is done with numbers, no text"),
        ("geom = 3", "is the geometry"),
        ("geom = POINT(1 2)", "no geometry"),
        ("S_INTERSECTS(shape, POINT(1 2))", "'shape' is not the property of the geometry, which is 'geom' here"),
        ("S_INTERSECTS(geom, POLYGON((0 0)))", "at least 4 positions; this one has 1"),
        ("S_INTERSECTS(geom, POLYGON((0 0,1 0,1 1,0 1)))", "is not closed"),
        ("S_INTERSECTS(geom, LINESTRING(0 0))", "at least 2 positions"),
        ("S_INTERSECTS(geom, POINT(200 10))", "outside the earth's degrees"),
        ("S_INTERSECTS(geom, BBOX(1,2,3))", "4 numbers, or 6 with heights; this has 3"),
        ("S_INTERSECTS(geom, BBOX(1,5,3,2))", "upside down"),
        ("S_INTERSECTS(geom, name)", "'name' is not the property of the geometry"),
        ("S_NEAR(geom, POINT(1 2))", "no condition 'S_NEAR'"),
        ("T_AFTER(value, DATE('2020-01-01'))", "cannot be compared: number and date"),
        ("T_AFTER(value, value)", "Dates and times are compared here, no number"),
    ],
)
def test_a_text_that_is_no_filter_of_the_layer_is_refused_with_its_place(text: str, detail: str) -> None:
    assert detail in refusal(text).detail


@pytest.mark.parametrize("inner", ["value=1 value", "value=", "", "value in (1,2 3)"])
def test_a_fault_deep_in_parentheses_is_read_no_oftener_than_one_outside(
    inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's own grammar tries what is in parentheses again at each level: 2 to the power of their depth."""
    parsed: list[str] = []

    def noted(text: str) -> Any:
        parsed.append(text)
        return parse_text(text)

    monkeypatch.setattr(text_encoding, "parse_text", noted)
    refusal("(" * MAX_PARENTHESES + inner + ")" * MAX_PARENTHESES)
    assert len(parsed) <= 1
    assert "(" not in "".join(parsed).replace(inner, "")


@pytest.mark.parametrize(
    ("node", "pointer", "detail"),
    [
        ({"op": "and", "args": [{"op": "=", "args": [{"property": "price"}, 1]}]}, "/args/0/args/0", "price"),
        ({"op": "=", "args": [{"property": "value"}]}, "", "has 2 argument(s); this one has 1"),
        ({"op": "xor", "args": []}, "", "no condition 'xor'"),
        ({"op": "and", "args": []}, "", "at least one argument"),
        ({"op": ["="], "args": []}, "", "is a text"),
        ({"op": "=", "args": {}}, "", "are a list"),
        ({"op": "=", "args": [{"property": 1}, 1]}, "/args/0", "name of a property is a text"),
        ({"op": "=", "args": [{"property": "value"}, [1]]}, "/args/1", "no list"),
        ({"op": "=", "args": [{"property": "name"}, "a\0"]}, "/args/1", "NUL"),
        ({"op": "in", "args": [{"property": "value"}, []]}, "/args/1", "not empty"),
        ({"op": "t_after", "args": [{"property": "sold"}, {"interval": ["2020-01-01"]}]}, "/args/1", "two ends"),
        ({"op": "s_within", "args": [{"property": "geom"}, {"type": "Circle"}]}, "/args/1", "no type of geometry"),
        (
            {"op": "s_within", "args": [{"property": "geom"}, {"type": "Polygon", "coordinates": [[[0, 0]]]}]},
            "/args/1/coordinates/0",
            "at least 4 positions; this one has 1",
        ),
        (
            {"op": "s_within", "args": [{"property": "geom"}, {"type": "Point", "coordinates": [0, "1"]}]},
            "/args/1/coordinates",
            "is no number",
        ),
        (3, "", "A condition is expected"),
    ],
)
def test_a_json_document_that_is_no_filter_is_refused_with_a_pointer(node: Any, pointer: str, detail: str) -> None:
    refused = refusal(json.dumps(node), "cql2-json")
    assert detail in refused.detail
    assert [fault.pointer for fault in refused.faults] == [pointer]


def test_depth_and_syntax_of_json_are_bounded() -> None:
    deep = {"op": "=", "args": [1, 1]}
    for _ in range(MAX_DEPTH + 1):
        deep = {"op": "not", "args": [deep]}
    assert "nested 64 deep" in refusal(json.dumps(deep), "cql2-json").detail
    assert "not JSON" in refusal("[" * 30_000, "cql2-json").detail


def test_parentheses_group_as_they_do_in_the_standard() -> None:
    text = "NOT (value=1 OR (name='(' AND vacant)) AND value = -(1 + 2) * 3 AND name IN ('a', casei(('b')))"
    assert text_to_json(text) == {
        "op": "and",
        "args": [
            {
                "op": "not",
                "args": [
                    {
                        "op": "or",
                        "args": [
                            {"op": "=", "args": [{"property": "value"}, 1.0]},
                            {
                                "op": "and",
                                "args": [
                                    {"op": "=", "args": [{"property": "name"}, "("]},
                                    {"property": "vacant"},
                                ],
                            },
                        ],
                    }
                ],
            },
            {
                "op": "=",
                "args": [
                    {"property": "value"},
                    {
                        "op": "*",
                        "args": [
                            {"op": "*", "args": [-1.0, {"op": "+", "args": [1.0, 2.0]}]},
                            3.0,
                        ],
                    },
                ],
            },
            {"op": "in", "args": [{"property": "name"}, ["a", {"op": "casei", "args": ["b"]}]]},
        ],
    }


@given(st.text(max_size=40), st.text(alphabet="()'\",=<>-+ andotinv1._%", max_size=60))
def test_no_text_makes_anything_but_a_filter_or_a_refusal(anything: str, likely: str) -> None:
    for text in (anything, likely, f"value = 1 and {likely}"):
        with suppress(FilterError):
            compile_filter(read_filter(text), QUERYABLES)


def test_values_are_bound_and_never_part_of_the_sql() -> None:
    text = "name = 'x''; DROP TABLE t; --' AND value IN (7, 8) AND S_INTERSECTS(geom, BBOX(11, 12, 13, 14))"
    sql = str(compile_filter(read_filter(text), QUERYABLES).condition)
    assert "DROP" not in sql
    assert not {"7", "8", "11", "12", "13", "14"} & set(sql.replace("(", " ").replace(")", " ").split())
