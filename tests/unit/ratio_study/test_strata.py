"""Strata made of a column's own values."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.appraisal.parameters import MAX_DISTINCT_NUMBERS
from shared.appraisal.strata import UNKNOWN, of_values

NUMBERS = st.one_of(st.none(), st.floats(0, 1e6), st.integers(0, 3000))


def test_codes_and_few_numbers_are_strata_as_they_are() -> None:
    assert list(of_values(["A", "", None, "B"])) == ["A", UNKNOWN, UNKNOWN, "B"]
    assert list(of_values([2, 2.5, None])) == ["2", "2.5", UNKNOWN]
    assert list(of_values([True, False])) == ["yes", "no"]


def test_many_different_numbers_are_cut_into_quartiles_named_by_their_bounds() -> None:
    strata = of_values([float(number) for number in range(100)])
    assert Counter(strata.tolist()) == {
        "1: 0 to 24.75": 25,
        "2: 24.75 to 49.5": 25,
        "3: 49.5 to 74.25": 25,
        "4: 74.25 to 99": 25,
    }


def test_numbers_among_words_are_words() -> None:
    mixed = [*range(30), "none"]
    assert set(of_values(mixed)) == {str(value) for value in mixed}


@given(st.lists(NUMBERS, min_size=1, max_size=80))
def test_every_sale_has_a_stratum_and_only_the_unknown_are_unknown(values: list[Any]) -> None:
    strata = of_values(values)
    assert len(strata) == len(values)
    for value, stratum in zip(values, strata, strict=True):
        assert (stratum == UNKNOWN) == (value is None)
    known = {value for value in values if value is not None}
    if len(known) > MAX_DISTINCT_NUMBERS:
        assert len(set(strata) - {UNKNOWN}) <= 4
