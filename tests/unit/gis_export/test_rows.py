"""COPY's text form, read back."""

from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from functions.gis_export.domain.copy_text import ColumnValues, columns_of, neutralized, texts_of, values_of

_MARKS = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}

texts = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00")))


def copied(value: str | None) -> str:
    """A text as PostgreSQL's COPY writes it (documentation of COPY, "Text Format")."""
    return "\\N" if value is None else "".join(_MARKS.get(character, character) for character in value)


def listed(column: ColumnValues) -> list[str | None]:
    """The texts of a column."""
    ends = column.values.tolist()
    cells = [column.data[start:end].decode() for start, end in pairwise(ends)]
    return [cell if known else None for cell, known in zip(cells, column.known, strict=True)]


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=20))
def test_every_text_comes_back(rows: list[tuple[str | None, ...]]) -> None:
    block = "".join("\t".join(map(copied, row)) + "\n" for row in rows).encode()
    assert list(zip(*(listed(texts_of(cells)) for cells in columns_of(block, 3)), strict=True)) == rows


def test_missing_values_are_marked() -> None:
    integers = values_of("integer", [b"7", b"\\N", b"-3"])
    assert integers.values[[0, 2]].tolist() == [7, -3]
    assert integers.known.tolist() == [True, False, True]
    flags = values_of("boolean", [b"t", b"f", b"\\N"])
    assert flags.values[:2].tolist() == [True, False]
    assert flags.known.tolist() == [True, True, False]


def test_a_real_that_is_not_finite_is_missing() -> None:
    reals = values_of("real", [b"1234567890.12", b"NaN", b"-0.5", b"Infinity", b"\\N"])
    assert reals.known.tolist() == [True, False, True, False, False]
    assert reals.values[[0, 2]].tolist() == [1234567890.12, -0.5]


def test_days_are_counted_from_1970() -> None:
    day = date(2024, 2, 29).toordinal() - date(1970, 1, 1).toordinal()
    assert values_of("date", [str(day).encode()]).values.astype("datetime64[D]").tolist() == [date(2024, 2, 29)]
    assert np.array_equal(values_of("datetime", [b"-1"]).values, [-1])


@given(texts)
def test_no_spreadsheet_takes_a_text_for_a_formula(text: str | None) -> None:
    written = neutralized((text or "").encode()).decode()
    assert not written.startswith(("=", "+", "@", "\t", "\r", "\n"))
    assert written.removeprefix("'") == (text or "").removeprefix("'")


def test_a_negative_number_is_no_formula() -> None:
    assert [neutralized(text) for text in (b"-12.5", b"-1+1", b"=1")] == [b"-12.5", b"'-1+1", b"'=1"]
