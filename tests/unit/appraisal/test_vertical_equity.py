"""The groups behind the VEI."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.ratio_statistics import percentile_groups, vei
from shared.appraisal.vertical_equity import vertical_equity


@pytest.mark.parametrize(
    ("sales", "sizes"), [(20, [10, 10]), (54, [14, 13, 13, 14]), (501, [51, 50, 50, 50, 50, 50, 50, 50, 50, 50])]
)
def test_groups_end_at_their_percentiles(sales: int, sizes: list[int]) -> None:
    # the exposure draft's example of 54 sales has groups of 14 at both ends
    price = np.arange(1.0, sales + 1)
    assert [group.size for group in percentile_groups(price, price)] == sizes


@given(st.integers(20, 700), st.integers(0, 1000))
def test_every_sale_is_in_one_group_and_groups_rise_in_value(sales: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    price = np.exp(generator.normal(12, 0.5, sales))
    estimate = price * np.exp(generator.normal(0, 0.2, sales))
    groups = percentile_groups(estimate, price)
    assert sorted(np.concatenate(groups).tolist()) == list(range(sales))
    result = vertical_equity(estimate, price)
    values = [group.median_value for group in result.groups]
    assert values == sorted(values)
    first, last = result.groups[0].median_ratio, result.groups[-1].median_ratio
    assert vei(estimate, price) == pytest.approx(100 * (last - first) / np.median(estimate / price))
    for group in result.groups:
        assert group.interval.low <= group.median_ratio <= group.interval.high


def test_significance_is_the_gap_between_the_intervals_and_none_where_they_meet() -> None:
    price = np.arange(1.0, 55) * 10_000
    regressive = vertical_equity(price * np.linspace(1.3, 0.7, 54), price)
    gap = regressive.groups[0].interval.low - regressive.groups[-1].interval.high
    assert regressive.significance == pytest.approx(100 * gap / 1.0, rel=1e-6)
    assert regressive.significance > 10
    level = vertical_equity(price * np.tile([0.9, 1.1], 27), price)
    assert level.significance == 0.0


def test_nineteen_sales_have_no_groups() -> None:
    with pytest.raises(AppraisalInputError, match="at least 20"):
        vertical_equity(np.ones(19), np.ones(19))
