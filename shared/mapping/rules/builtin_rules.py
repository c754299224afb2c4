"""The built-in range rules: the bounds of plausible values, whatever the county.

A value outside its range rejects the row. The bounds are wide: they catch swapped coordinates, slipped digits and
dates of the wrong century, and leave judgement to the assessor.
"""

from dataclasses import dataclass
from datetime import date

from shared.mapping.targets import TargetTable

FIRST_YEAR = 1600
"""No building on the tax rolls of the United States is older: a choice that errs to the wide side by some decades."""

LONGITUDES = ((-180.0, -64.0), (144.0, 180.0))
"""The United States with its territories: Aleutians to Puerto Rico; Guam, the Northern Marianas, the Aleutians' end."""
LATITUDES = ((-15.0, 72.0),)
"""American Samoa to Alaska."""

FIRST_ROLL_YEAR = 1800
"""A choice: no county keeps earlier rolls in a CAMA system, and an earlier year is a slipped digit."""

_YEARS = ("year_built", "effective_year")
_MONEY = (
    "land_value", "improvement_value", "total_value", "assessed_value", "last_sale_price", "amount",
)  # fmt: skip
_SIZES = (
    "land_area_sqft", "living_area_sqft", "area_sqft", "bedrooms", "bathrooms", "stories",
)  # fmt: skip
_DATES = ("sale_date", "last_sale_date")

Bound = float | date | None


@dataclass(frozen=True)
class RangeRule:
    """`column` lies in one of `ranges`, both ends included; None is open. `exclusive` leaves the lower end out."""

    column: str
    ranges: tuple[tuple[Bound, Bound], ...]
    exclusive: bool = False

    def __str__(self) -> str:
        return " or ".join(self._range_text(low, high) for low, high in self.ranges)

    def _range_text(self, low: Bound, high: Bound) -> str:
        if high is None:
            return f"above {low}" if self.exclusive else f"{low} or more"
        return f"{low} to {high}"


def range_rules(target: TargetTable, today: date) -> dict[str, RangeRule]:
    """The rules of a table, by column. Rolls and buildings may be of the year after `today`, dates may not be later."""
    next_year = today.year + 1
    rules = [RangeRule(column, ((FIRST_YEAR, next_year),)) for column in _YEARS]
    rules += [RangeRule(column, ((0, None),)) for column in (*_MONEY, *_SIZES)]
    rules += [RangeRule(column, ((date(FIRST_YEAR, 1, 1), today),)) for column in _DATES]
    rules += [
        RangeRule("longitude", LONGITUDES),
        RangeRule("latitude", LATITUDES),
        RangeRule("roll_year", ((FIRST_ROLL_YEAR, next_year),)),
        RangeRule("sale_price", ((0, None),), exclusive=True),
        RangeRule("ownership_share", ((0, 1),)),
        RangeRule("parcel_count", ((1, None),)),
    ]
    return {rule.column: rule for rule in rules if rule.column in target.columns}
