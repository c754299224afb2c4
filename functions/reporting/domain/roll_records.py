"""The records that a roll summary is made of, as the repository reads them."""

from decimal import Decimal
from typing import NamedTuple

from functions.reporting.schemas import Grouping


class RollRow(NamedTuple):
    """Values of one group of a roll; `grouping` None is the whole county, `group` None parcels without a group."""

    roll_year: int
    grouping: Grouping | None
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


class RollOverlap(NamedTuple):
    """Numbers and total values of the parcels that two rolls share, and of those on the newer or the older alone."""

    in_both: int
    only_now: int
    only_before: int
    total_in_both_now: Decimal
    total_in_both_before: Decimal
    total_only_now: Decimal
    total_only_before: Decimal
