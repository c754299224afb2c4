"""The assessment roll summary: the values of a roll year, group by group, against the roll before it."""

from collections.abc import Sequence
from decimal import Decimal

from functions.reporting.domain.roll_records import RollOverlap, RollRow
from functions.reporting.schemas import Grouping
from shared.problems import Unprocessable
from shared.schemas import Schema

CENT = Decimal("0.01")


class RollChange(Schema):
    """The change of a group from an earlier roll; the percentage is of that roll's total value."""

    parcels: int
    land_value: Decimal
    improvement_value: Decimal
    total_value: Decimal
    assessed_value: Decimal
    total_value_percent: Decimal | None


class RollGroup(Schema):
    """Values of one group of a roll, in dollars; mean, median, minimum and maximum are of the parcels' total value.

    `group` is None for parcels without a group. `parcels_without_value` have no total value and count
    in no statistic. `change` is None where there is no earlier roll.
    """

    group: str | None
    parcels: int
    parcels_without_value: int
    land_value: Decimal
    improvement_value: Decimal
    total_value: Decimal
    assessed_value: Decimal
    mean_value: Decimal | None
    median_value: Decimal | None
    min_value: Decimal | None
    max_value: Decimal | None
    change: RollChange | None


class ParcelOverlap(Schema):
    """The parcels of two rolls: those on both, whose values compare like with like, and those on one alone.

    `change_in_both` is the change of the total value of the parcels on both; its percentage is of the former total.
    """

    in_both: int
    only_in_roll: int
    only_in_previous: int
    total_in_both: Decimal
    previous_total_in_both: Decimal
    total_only_in_roll: Decimal
    previous_total_only_in_previous: Decimal
    change_in_both: Decimal
    change_in_both_percent: Decimal | None


class RollSummary(Schema):
    """A roll year in numbers; `previous_roll_year` is the newest earlier one that there is.

    `overlap` counts the parcels that the two share; None without an earlier roll.
    """

    roll_year: int
    previous_roll_year: int | None
    overlap: ParcelOverlap | None
    county: RollGroup
    groups: dict[Grouping, list[RollGroup]]


def compared_years(roll_year: int, years: Sequence[int], pointer: str = "/roll_year") -> tuple[int, int | None]:
    """The roll year and the one to compare it with, of those known. Raises Unprocessable for a year without a roll."""
    if roll_year not in years:
        listed = ", ".join(map(str, sorted(years))) or "none"
        raise Unprocessable(
            f"There is no assessment of roll year {roll_year}. Roll years with assessments: {listed}.",
            pointer=pointer,
            slug="roll-year-empty",
        )
    return roll_year, max((year for year in years if year < roll_year), default=None)


def summarize(
    rows: Sequence[RollRow],
    roll_year: int,
    previous_year: int | None,
    groupings: Sequence[Grouping],
    overlap: RollOverlap | None = None,
) -> RollSummary:
    """Put a roll's groups beside those of the roll before; a group that is gone stays, with no parcels."""
    by_group = {(row.roll_year, row.grouping, row.group): row for row in rows}

    def group(grouping: Grouping | None, name: str | None) -> RollGroup:
        now = by_group.get((roll_year, grouping, name)) or _empty(roll_year, grouping, name)
        if previous_year is None:
            return _with_change(now, None)
        before = by_group.get((previous_year, grouping, name)) or _empty(previous_year, grouping, name)
        return _with_change(now, before)

    return RollSummary(
        roll_year=roll_year,
        previous_roll_year=previous_year,
        overlap=None if overlap is None else _overlap(overlap),
        county=group(None, None),
        groups={grouping: [group(grouping, name) for name in _names(rows, grouping)] for grouping in groupings},
    )


def _overlap(overlap: RollOverlap) -> ParcelOverlap:
    change = overlap.total_in_both_now - overlap.total_in_both_before
    return ParcelOverlap(
        in_both=overlap.in_both,
        only_in_roll=overlap.only_now,
        only_in_previous=overlap.only_before,
        total_in_both=overlap.total_in_both_now,
        previous_total_in_both=overlap.total_in_both_before,
        total_only_in_roll=overlap.total_only_now,
        previous_total_only_in_previous=overlap.total_only_before,
        change_in_both=change,
        change_in_both_percent=_percent(change, overlap.total_in_both_before),
    )


def _percent(change: Decimal, base: Decimal) -> Decimal | None:
    return (100 * change / base).quantize(CENT) if base else None


def _names(rows: Sequence[RollRow], grouping: Grouping) -> list[str | None]:
    """The groups' names in order, parcels without a group last."""
    names = {row.group for row in rows if row.grouping == grouping}
    return sorted(names, key=lambda name: (name is None, name or ""))


def _with_change(now: RollRow, before: RollRow | None) -> RollGroup:
    return RollGroup(
        **{name: value for name, value in now._asdict().items() if name in RollGroup.model_fields},
        change=None if before is None else _change(now, before),
    )


def _change(now: RollRow, before: RollRow) -> RollChange:
    total = now.total_value - before.total_value
    return RollChange(
        parcels=now.parcels - before.parcels,
        land_value=now.land_value - before.land_value,
        improvement_value=now.improvement_value - before.improvement_value,
        total_value=total,
        assessed_value=now.assessed_value - before.assessed_value,
        total_value_percent=_percent(total, before.total_value),
    )


def _empty(roll_year: int, grouping: Grouping | None, name: str | None) -> RollRow:
    zero = Decimal("0.00")
    return RollRow(roll_year, grouping, name, 0, 0, zero, zero, zero, zero, None, None, None, None)
