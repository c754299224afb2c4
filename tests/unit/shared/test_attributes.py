"""A county's own attributes: those that a model learns from, and how they are read."""

from typing import Any

import numpy as np
import pytest

from shared.evidence.attributes import AttributeKinds, categorical_column, infer_attribute_kinds, numeric_column

PROPERTIES = 2000


def kinds(**attributes: Any) -> AttributeKinds:
    """Of properties whose attributes are made by functions of the property's number; None where it has none."""
    made = [{name: value(number) for name, value in attributes.items()} for number in range(PROPERTIES)]
    return infer_attribute_kinds(made)


def test_numbers_and_codes_are_told_apart_by_their_type() -> None:
    recognised = kinds(garage_sqft=lambda n: n % 70 * 100, heating=lambda n: "AB"[n % 2], pool=lambda n: n % 2 == 0)
    assert recognised == AttributeKinds(("garage_sqft", "pool"), ("heating",))


def test_many_written_numbers_are_a_measure() -> None:
    recognised = kinds(
        basement=lambda n: f"{n % 900}.0",
        depth=lambda n: str(n % 90),
        slope=lambda n: f"{n - 1000}",
        acres=lambda n: f".{n}",
    )
    assert recognised == AttributeKinds(("acres", "basement", "depth", "slope"))


@pytest.mark.parametrize("kind", [str, int, float, lambda n: f"{n}.0"])
def test_a_number_of_a_few_different_values_is_ordered_and_may_be_a_code(kind: Any) -> None:
    assert kinds(grade=lambda n: kind(1 + n % 13)) == AttributeKinds(("grade",), ("grade",))
    # of two values a number says all; of many, or of as many as there are properties, a code says nothing
    assert kinds(pool=lambda n: kind(n % 2)) == AttributeKinds(("pool",))
    assert kinds(depth=lambda n: kind(n % 41)) == AttributeKinds(("depth",))
    assert kinds(rooms=lambda n: kind(n % 30) if n < 200 else None) == AttributeKinds(("rooms",))


def test_a_code_is_the_same_however_its_number_comes() -> None:
    rows: list[dict[str, Any]] = [{"grade": grade} for grade in (7, 7.0, "7", " 7 ", 7.5, None)]
    assert list(categorical_column(rows, "grade")) == ["7", "7", "7", "7", "7.5", ""]


def test_numbers_that_are_seen_twice_leave_no_code_out() -> None:
    recognised = kinds(
        **{f"grade_{number:02}": lambda n, number=number: (n + number) % 9 for number in range(60)},
        **{f"wall_{number:02}": lambda n, number=number: f"{(n + number) % 9} wall" for number in range(20)},
    )
    assert len(recognised.numeric) == 60
    assert {f"wall_{number:02}" for number in range(20)} <= set(recognised.categorical)


def test_written_numbers_with_leading_zeros_are_codes() -> None:
    assert kinds(tract=lambda n: f"{n % 90:04}").categorical == ("tract",)


def test_a_column_of_numbers_may_have_a_few_words_in_it() -> None:
    assert kinds(depth=lambda n: "none" if n % 100 == 0 else str(n % 90)).numeric == ("depth",)
    assert kinds(depth=lambda n: "none" if n % 10 == 0 else str(n % 300)).numeric == ()


def test_a_number_that_was_mistyped_makes_no_code_of_a_measure() -> None:
    assert kinds(depth=lambda n: "07" if n == 7 else str(n % 90)).numeric == ("depth",)


def test_typed_numbers_may_have_a_word_among_them_too() -> None:
    assert kinds(cars=lambda n: "none" if n % 100 == 0 else n % 4).numeric == ("cars",)


def test_codes_of_many_levels_are_taken_where_properties_share_them() -> None:
    recognised = kinds(
        subdivision=lambda n: f"plat {n % 150}", school=lambda n: f"school {n % 30}", remark=lambda n: f"note {n}"
    )
    assert recognised.categorical == ("school", "subdivision")
    assert kinds(subdivision=lambda n: f"plat {n % 250}").categorical == ()


def test_the_levels_of_all_codes_together_are_bounded() -> None:
    finding = kinds(**{f"code_{number:02}": lambda n, number=number: f"{number} {n % 40} x" for number in range(60)})
    assert len(finding.categorical) == 40
    assert len(kinds(**{f"size_{number:03}": lambda n: n for number in range(120)}).numeric) == 80


@pytest.mark.parametrize(
    "name",
    [
        "market",
        "market_value",
        "mkt_val",
        "land_val",
        "appraised",
        "assessed_total",
        "last_price",
        "avm",
        "tax",
        "parcel_id",
    ],
)
def test_opinions_of_value_and_keys_are_not_learned_from(name: str) -> None:
    assert kinds(**{name: lambda n: n}) == AttributeKinds()


@pytest.mark.parametrize("name", ["market_area", "taxidermy", "valley_view", "grid"])
def test_names_that_only_sound_like_a_value_are_learned_from(name: str) -> None:
    assert kinds(**{name: lambda n: n}).numeric == (name,)


def test_what_few_properties_have_is_learned_from_and_what_all_have_alike_is_not() -> None:
    recognised = kinds(
        view=lambda n: 1 if n < 10 else None,
        rare=lambda n: 1 if n < 9 else None,
        city=lambda _: "Kent",
        tags=lambda _: ["a"],
    )
    assert recognised == AttributeKinds(("view",))


def test_a_blank_text_is_an_unknown_one() -> None:
    """Legacy systems fill a column of characters with blanks."""
    assert kinds(depth=lambda n: str(n % 90) if n % 3 else "    ", wall=lambda _: " ").numeric == ("depth",)
    assert kinds(wall=lambda n: "brick " if n % 2 else " brick").categorical == ()


def test_columns_are_read_as_their_kind_says() -> None:
    rows: list[dict[str, Any]] = [
        {"depth": "12.5"},
        {"depth": " 7 "},
        {"depth": 3},
        {"depth": "n/a"},
        {"depth": "nan"},
        {},
        {"depth": None},
    ]
    assert np.array_equal(numeric_column(rows, "depth"), [12.5, 7, 3, np.nan, np.nan, np.nan, np.nan], equal_nan=True)
    assert list(categorical_column(rows, "depth")) == ["12.5", "7", "3", "n/a", "nan", "", ""]
