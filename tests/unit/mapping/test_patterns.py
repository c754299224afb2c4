"""A pattern is refused when the mapping is read, or runs: by one engine."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.rules.rule_models import FULL_MATCH
from shared.mapping.transformations.patterns import capture_groups, require_pattern

PARTS = st.sampled_from(
    [
        *"abc()[]{}|.*+?^$\\-#",
        "(?:",
        "(?P<n>",
        "(?<m>",
        "(?x)",
        "(?i)",
        "[^",
        "\\p{L}",
        "\\d",
        "\\z",
        "{2}",
        "{,3}",
        "\\(",
        "[(",
    ]
)


@given(st.lists(PARTS, min_size=1, max_size=12).map("".join))
def test_what_is_accepted_runs_and_has_as_many_groups_as_are_counted(pattern: str) -> None:
    try:
        require_pattern(pattern, FULL_MATCH)
    except ValueError:
        return

    values = pl.Series(["abc", "", "a1"])
    assert values.str.contains(FULL_MATCH.replace("{}", pattern)).null_count() == 0
    if "#" not in pattern:  # of a comment in the verbose form nothing is counted
        assert len(values.str.extract_groups(pattern).struct.fields) == capture_groups(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(?a)x", "a{,3}", "\\Z", "a{1000000}", "(a", "(?=a)b", "(?<!a)b", "(a)\\1", "a++", "(?>a)", "(?x)a # end"],
)
def test_what_the_engine_does_not_run_is_refused_whatever_another_one_does(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|not supported"):
        require_pattern(pattern, FULL_MATCH)


@pytest.mark.parametrize("pattern", ["\\p{L}+", "(?<n>a)", "\\z", "[a&&b]", "[[:alpha:]]"])
def test_what_the_engine_runs_is_taken(pattern: str) -> None:
    require_pattern(pattern, FULL_MATCH)
