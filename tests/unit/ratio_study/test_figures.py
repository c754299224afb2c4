"""Figures of a study for charts: ranges of ratios, and the level by month."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from functions.ratio_study.domain.study_figures import month_levels, ratio_bins

ratios = st.lists(st.floats(0.01, 5), min_size=1, max_size=80)


@given(ratios)
def test_every_ratio_is_in_one_range(values: list[float]) -> None:
    bins = ratio_bins(np.array(values))
    assert sum(each.sales for each in bins) == len(values)
    assert [each.high for each in bins[:-1]] == [each.low for each in bins[1:]]
    for each in bins[1:-1]:
        assert each.sales == sum(each.low <= value < each.high for value in values)


@given(ratios)
def test_every_sale_is_in_its_month(values: list[float]) -> None:
    first = date(2024, 12, 30).toordinal()
    days = first + np.arange(len(values)) % 40
    months = month_levels(np.array(values), days, 0.95)
    by_month: dict[date, list[float]] = {}
    for value, day in zip(values, days, strict=True):
        by_month.setdefault(date.fromordinal(int(day)).replace(day=1), []).append(value)
    assert [(each.month, each.sales) for each in months] == [(month, len(sales)) for month, sales in by_month.items()]
    for each in months:
        assert each.median == float(np.median(by_month[each.month]))
        assert (each.low is None) == (each.sales < 6)
