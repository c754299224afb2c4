"""Allocation of a value to land and improvements.

A market value is of the whole property. It is divided as the county's own appraisal of the land divides the current
one: by the property's own land share, else by the share that is typical of improved properties of its neighborhood,
else of its class (the allocation method, IAAO, Property Assessment Valuation, on land valuation). Where the county
has no such values, it is divided by what land and buildings contribute to prices
(`shared.appraisal.land_contribution`). Where the land area is not known, there is no division rather than a made-up
one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from shared.contracts.valuation import LandMethod

LandShares = Mapping[str, Mapping[str, float]]
"""Typical land shares by class and neighborhood; under the neighborhood "" that of the whole class."""

NO_LAND_SPLIT = "no_land_split"

_TEXTS: dict[LandMethod, str] = {
    "own_land_share": "allocated by the property's own land share on the current roll",
    "neighborhood_land_share": "allocated by the median land share of its class in its neighborhood",
    "class_land_share": "allocated by the median land share of its class",
    "land_contribution": "by what land and buildings contribute to prices; the roll has no land values to divide by",
}


@dataclass(frozen=True)
class LandShare:
    """The land's share (0 to 1) of a value, and the method that gave it."""

    share: float
    method: LandMethod

    @property
    def text(self) -> str:
        return f"{_TEXTS[self.method]} ({self.share:.1%})"

    def of(self, estimate: Decimal) -> Decimal:
        """The land's part of a value, to the cent."""
        return (estimate * Decimal(repr(self.share))).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Land:
    """A property's land: its area in square feet and its values on the current roll.

    `contribution` is its share by what land contributes to prices, NaN where that is not known.
    """

    property_class: str
    neighborhood: str
    area_sqft: float
    land_value: Decimal | None
    total_value: Decimal | None
    contribution: float


def land_share(land: Land, typical: LandShares) -> LandShare | str:
    """The land's share of the property's value, or why none can be told."""
    if not land.area_sqft > 0:
        return "the land area is not known, so the value is not divided into land and improvements"
    if land.land_value and land.total_value and land.land_value < land.total_value:
        return LandShare(float(land.land_value / land.total_value), "own_land_share")
    of_class = typical.get(land.property_class, {})
    if land.neighborhood and land.neighborhood in of_class:
        return LandShare(of_class[land.neighborhood], "neighborhood_land_share")
    if "" in of_class:
        return LandShare(of_class[""], "class_land_share")
    if isfinite(land.contribution):
        return LandShare(land.contribution, "land_contribution")
    return "neither the roll nor the sales tell what land is worth, so the value is not divided"
