"""CSV files."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.csv_export.tables import Table, to_csv


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def written(*cells: Any) -> list[str]:
    (_, row) = read(to_csv(Table([f"c{i}" for i in range(len(cells))], [cells])))
    return row


def test_lines_end_as_the_rfc_says() -> None:
    assert to_csv(Table(("a", "b"), [(1, "x,y"), (None, 'say "hi"')])) == b'a,b\r\n1,"x,y"\r\n,"say ""hi"""\r\n'


@pytest.mark.parametrize("text", ["=cmd()|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_text_that_looks_like_a_formula_is_disarmed(text: str) -> None:
    assert written(text) == ["'" + text]


def test_numbers_stay_numbers() -> None:
    assert written(-3, Decimal("-1234.50"), -0.5, 12, True) == ["-3", "-1234.50", "-0.5", "12", "true"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=5))
def test_every_text_can_be_read_back(cells: list[str]) -> None:
    row = written("first", *cells)[1:]
    for text, shown in zip(cells, row, strict=True):
        assert shown in (text, "'" + text)
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_to_its_last_digit(number: float) -> None:
    assert float(written(number)[0]) == number
