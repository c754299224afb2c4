"""COPY's text form, read back."""

import math
from datetime import UTC, date, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from functions.gis_export.domain.copy_text import BlockStream, fields_of, text_of, values_of

_MARKS = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}

texts = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00")))


def copied(value: str | None) -> str:
    """A text as PostgreSQL's COPY writes it (documentation of COPY, "Text Format")."""
    return "\\N" if value is None else "".join(_MARKS.get(character, character) for character in value)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=20))
def test_every_text_comes_back(rows: list[tuple[str | None, ...]]) -> None:
    block = "".join("\t".join(map(copied, row)) + "\n" for row in rows).encode()
    assert [tuple(map(text_of, row)) for row in zip(*fields_of(block), strict=True)] == rows


def test_a_missing_integer_is_marked_because_an_array_cannot_say_it() -> None:
    values, missing = values_of("integer", ["7", "\\N", "-3"])
    assert values.tolist() == [7, 0, -3]
    assert missing is not None
    assert missing.tolist() == [False, True, False]


def test_a_missing_real_is_not_a_number() -> None:
    values, missing = values_of("real", ["1234567890.12", "NaN", "-0.5"])
    assert values.tolist()[::2] == [1234567890.12, -0.5]
    assert math.isnan(values[1])
    assert missing is None


def test_days_and_moments_keep_their_precision() -> None:
    days, _ = values_of("date", ["2024-02-29", "\\N"])
    moments, _ = values_of("datetime", ["2026-03-01T12:30:15.250", "\\N"])
    assert days.tolist() == [date(2024, 2, 29), None]
    assert moments.tolist() == [datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC).replace(tzinfo=None), None]
    assert np.isnat(days[1])


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=60), st.integers(1, 9), st.integers(1, 200))
def test_blocks_hold_every_row_in_order_and_keep_their_limits(rows: list[bytes], most: int, size: int) -> None:
    blocks: list[bytes] = []
    stream = BlockStream(blocks.append, most, size)
    for row in rows:
        stream.write(row)
    stream.flush()
    assert b"".join(blocks) == b"".join(rows)
    assert all(len(block) < size + 40 for block in blocks)
    assert len(blocks) >= len(rows) / most
