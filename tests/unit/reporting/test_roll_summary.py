"""Two rolls beside each other."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.reporting.domain.roll_records import RollRow
from functions.reporting.domain.roll_summary import RollGroup, compared_years, summarize
from functions.reporting.schemas import Grouping
from shared.problems import Unprocessable

ZERO = Decimal("0.00")
money = st.decimals(min_value=0, max_value=10**10, places=2)
rolls = st.dictionaries(
    st.one_of(st.none(), st.sampled_from(["a", "b", "c", ""])),
    st.tuples(st.integers(1, 1000), money, money),
)


def rows_of(year: int, groups: dict[str | None, tuple[int, Decimal, Decimal]]) -> list[RollRow]:
    def row(grouping: Grouping | None, name: str | None, parcels: int, land: Decimal, built: Decimal) -> RollRow:
        mean = ((land + built) / parcels).quantize(Decimal("0.01"))
        return RollRow(
            year,
            grouping,
            name,
            parcels,
            0,
            land,
            built,
            land + built,
            ZERO,
            mean,
            mean,
            mean,
            mean,
        )

    total = [sum(values[part] for values in groups.values()) for part in range(3)]
    if not groups:
        return []
    county = row(None, None, int(total[0]), Decimal(total[1]), Decimal(total[2]))
    return [county, *(row("property_class", name, *values) for name, values in groups.items())]


def total(groups: Sequence[RollGroup], field: str) -> Decimal:
    return sum((getattr(group.change, field) for group in groups), ZERO)


@given(rolls.filter(bool), rolls.filter(bool))
def test_the_groups_changes_add_up_to_the_countys(
    before: dict[str | None, tuple[int, Decimal, Decimal]], now: dict[str | None, tuple[int, Decimal, Decimal]]
) -> None:
    summary = summarize([*rows_of(2025, now), *rows_of(2024, before)], 2025, 2024, ["property_class"])
    groups = summary.groups["property_class"]
    assert summary.county.change is not None
    for field in ("parcels", "land_value", "improvement_value", "total_value"):
        assert total(groups, field) == getattr(summary.county.change, field)
    assert {group.group for group in groups} == set(before) | set(now)


@given(rolls.filter(bool))
def test_without_an_earlier_roll_there_is_no_change(now: dict[str | None, tuple[int, Decimal, Decimal]]) -> None:
    summary = summarize(rows_of(2025, now), 2025, None, ["property_class"])
    assert summary.previous_roll_year is None
    assert {group.change for group in [summary.county, *summary.groups["property_class"]]} == {None}


def test_a_group_that_is_gone_stays_with_nothing_in_it() -> None:
    before = rows_of(2024, {"farm": (2, Decimal("10.00"), Decimal("5.00")), "home": (1, Decimal(1), Decimal(1))})
    now = rows_of(2025, {"home": (1, Decimal(2), Decimal(1))})
    farm, home = summarize([*before, *now], 2025, 2024, ["property_class"]).groups["property_class"]
    assert (farm.group, farm.parcels, farm.total_value, farm.mean_value) == ("farm", 0, ZERO, None)
    assert farm.change is not None
    assert farm.change.total_value_percent == Decimal("-100.00")
    assert home.change is not None
    assert home.change.total_value_percent == Decimal("50.00")


def test_a_new_group_has_no_percentage() -> None:
    before = rows_of(2024, {"home": (1, Decimal(1), Decimal(1))})
    now = rows_of(2025, {"home": (1, Decimal(1), Decimal(1)), "mill": (1, Decimal(9), Decimal(1))})
    mill = summarize([*before, *now], 2025, 2024, ["property_class"]).groups["property_class"][-1]
    assert mill.change is not None
    assert (mill.change.total_value, mill.change.total_value_percent) == (Decimal(10), None)


def test_parcels_without_a_group_come_last() -> None:
    now = rows_of(2025, {None: (1, ZERO, ZERO), "b": (1, ZERO, ZERO), "": (1, ZERO, ZERO)})
    groups = summarize(now, 2025, None, ["property_class"]).groups["property_class"]
    assert [group.group for group in groups] == ["", "b", None]


def test_the_roll_before_is_the_newest_earlier_one() -> None:
    assert compared_years(2025, [2026, 2025, 2022, 2019]) == (2025, 2022)
    assert compared_years(2019, [2026, 2019]) == (2019, None)


def test_a_year_without_a_roll_is_refused_with_those_there_are() -> None:
    with pytest.raises(Unprocessable, match=r"2024.*2023, 2025") as caught:
        compared_years(2024, [2025, 2023])
    assert caught.value.slug == "roll-year-empty"
