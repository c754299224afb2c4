"""Page tokens."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paging import decode_token, encode_token
from shared.problems import BadRequest

Query = st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.booleans()))


Key = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200)


@given(Query, st.lists(Key, min_size=1, max_size=3))
def test_a_token_gives_back_the_key_for_its_own_query(query: dict[str, object], key: list[str]) -> None:
    assert decode_token(query, encode_token(query, key), *([str] * len(key))) == tuple(key)


@given(Query, Query, st.text())
def test_a_token_holds_for_no_other_query(query: dict[str, object], other: dict[str, object], key: str) -> None:
    if query != other:
        with pytest.raises(BadRequest):
            decode_token(other, encode_token(query, [key]), str)


@given(st.text())
def test_any_other_text_is_refused_and_never_breaks(token: str) -> None:
    with pytest.raises(BadRequest):
        decode_token({}, token, str)


def test_a_key_of_the_wrong_shape_is_refused() -> None:
    for key in (["not a number"], ["1", "2"], []):
        with pytest.raises(BadRequest):
            decode_token({}, encode_token({}, key), int)


@pytest.mark.parametrize(
    ("key", "parse"),
    [
        (["a\x00b"], str),
        (["x" * 5000], str),
        (["9" * 30], int),
        (["-" + "9" * 4400], int),
        (["2026-01-01"], datetime.fromisoformat),
        (["0001-01-01T00:00:00+14:00"], datetime.fromisoformat),
        (["9999-12-31T23:59:59-14:00"], datetime.fromisoformat),
        ("ab", str),
        ({"a": 1}, str),
        ([["a"]], str),
        ([None], str),
        ([1], int),
    ],
)
def test_a_token_that_somebody_made_up_for_the_query_holds_nothing_that_no_list_has(key: Any, parse: Any) -> None:
    with pytest.raises(BadRequest):
        decode_token({}, encode_token({}, key), parse)
