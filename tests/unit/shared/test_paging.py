"""Page tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.paging import decode_token, encode_token
from shared.problems import BadRequest

Query = st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.booleans()))


@given(Query, st.lists(st.text(), min_size=1, max_size=3))
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
