"""A roll beside another year's, with the reasons of what changed."""

from decimal import Decimal
from typing import Literal

from functions.roll.schemas.rolls import RollYear
from shared.schemas import Schema

ChangeReason = Literal["new", "retired", "appeal", "edit", "model", "exemption", "sync"]


class RollSums(Schema):
    """Parcels of a roll and the sums of their values."""

    assessments: int
    total_value: Decimal
    assessed_value: Decimal


class ReasonTotals(Schema):
    """The parcels that differ for one reason, and by how much they changed the roll.

    `new` and `retired` parcels are on one of the rolls alone. A value that differs is put down to what decided it in
    the later roll: an `appeal`, an `edit` (uploads included), a `model` (an approved valuation run), or else the
    county's system (`sync`). `exemption`: the total value is the same, and the assessed value is not.
    """

    reason: ChangeReason
    assessments: int
    total_value: Decimal
    assessed_value: Decimal


class RollYearComparison(Schema):
    """A roll (`after`) beside another year's (`before`); the reasons come to the difference of the two."""

    roll_year: RollYear
    compared_with: RollYear
    before: RollSums
    after: RollSums
    unchanged: int
    reasons: list[ReasonTotals]
