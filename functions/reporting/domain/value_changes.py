"""The change of value from a roll to another roll, or to the values of a valuation run."""

from decimal import Decimal
from typing import Literal
from uuid import UUID

from shared.schemas import Schema

ChangeGrouping = Literal["property_class", "neighborhood"]


class GroupOfChanges(Schema):
    """The parcels of a group: how many have a value before and after, how these went, and those with one of the two.

    Totals and the change are of the parcels with both values; the percentage is of the former total. `group` is None
    for parcels without a group.
    """

    group: str | None
    compared: int
    raised: int
    lowered: int
    unchanged: int
    only_before: int
    only_after: int
    total_before: Decimal
    total_after: Decimal
    change: Decimal
    change_percent: Decimal | None
    median_change_percent: Decimal | None


class ChangeBin(Schema):
    """The number of parcels whose change in percent is at least `low` and below `high`; an end that is None is open."""

    low: int | None
    high: int | None
    parcels: int


class ParcelChange(Schema):
    """The change of one parcel's value."""

    property_id: str
    situs_address: str | None
    property_class: str | None
    neighborhood: str | None
    before: Decimal | None
    after: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None


class ValueChanges(Schema):
    """All of it; `largest` are the parcels with the largest changes in dollars, of either sign."""

    from_roll_year: int
    to_roll_year: int | None
    valuation_run_id: UUID | None
    county: GroupOfChanges
    groups: dict[ChangeGrouping, tuple[GroupOfChanges, ...]]
    distribution: tuple[ChangeBin, ...]
    largest: tuple[ParcelChange, ...]
