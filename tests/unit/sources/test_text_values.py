"""Conversion of drivers' values to text: numbers without exponents or empty decimals, and no NUL."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping import VALUE_FAULTS
from shared.sources.text_values import as_text, number_columns, plain_number, remove_nuls


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"), (-0.0, "0"), (1e20, "100000000000000000000"), (1.59e17, "159000000000000000"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"), (float("nan"), None), (float("inf"), "inf"), ("1E+3", "1000"), ("100.0", "100"), ("x", "x"),
        (Decimal("1E+3"), "1000"),
    ],
)  # fmt: skip
def test_a_number_is_written_in_digits(value: float | str | Decimal, text: str | None) -> None:
    assert plain_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_is_lost(value: float) -> None:
    text = plain_number(value)
    assert text is not None
    assert float(text) == value
    assert "e" not in text.lower() or abs(value) < 1e-300


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None), (True, "true"), (7, "7"), (timedelta(hours=30, minutes=5), "30:05:00"),
        (timedelta(hours=-1), "-01:00:00"),
        (datetime(2024, 3, 5, 9, 30, tzinfo=UTC), "2024-03-05 09:30:00+00:00"), (date(1999, 1, 2), "1999-01-02"),
    ],
)  # fmt: skip
def test_a_drivers_value_becomes_text(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_low_values_are_null_padding_is_dropped_and_a_nul_within_a_text_is_a_fault_of_its_value() -> None:
    frame = pl.DataFrame({"id": ["1", "2", "3", "4"], "note": ["\x00\x00 ", "LOT 1\x00\x00", "LOT\x00 2", None]})
    result = remove_nuls(frame)
    assert result["note"].to_list() == [None, "LOT 1", None, None]
    assert result[VALUE_FAULTS].to_list() == [None, None, "note\tnote holds a NUL character (0x00): 'LOT␀ 2'", None]
    assert remove_nuls(frame.select("id")).columns == ["id"]


def test_columns_of_numbers_are_known_by_what_each_source_calls_them() -> None:
    numbers = {
        *("integer", "numeric(12,2)", "double precision", "Int64", "UInt8", "Float32", "Decimal(10, 2)", "newdecimal"),
        *("longlong", "tinyint", "esriFieldTypeDouble", "esriFieldTypeSmallInteger", "number", "money", "float(53)"),
    }
    others = {"text", "varchar(20)", "String", "interval", "cell", "esriFieldTypeString", "esriFieldTypeDate", "bit"}
    assert number_columns({name: name for name in numbers | others}) == numbers
