"""Missing, impossible and duplicate values of a county's parcels, by field and class."""

from dataclasses import dataclass
from typing import Literal

from shared.schemas import Schema

Problem = Literal["missing", "impossible", "duplicate"]


@dataclass(frozen=True)
class QualityRule:
    """A condition that a parcel's field does not meet: SQL over `p`, a row of current parcels.

    `:year` is that of the report. `text` says it in words.
    """

    field: str
    problem: Problem
    text: str
    condition: str


_EXPECTED = (
    *("parcel_number", "situs_address", "property_class", "neighborhood", "longitude", "land_area_sqft"),
    *("land_value", "total_value"),
)
"""Fields that a parcel of any kind has."""
_EXPECTED_OF_BUILDINGS = ("living_area_sqft", "year_built", "quality", "condition")
"""Fields of a parcel with a building: one whose improvements have a value."""

_MISSING = (
    *(QualityRule(name, "missing", "has no value", f"p.{name} IS NULL") for name in _EXPECTED),
    *(
        QualityRule(
            name,
            "missing",
            "has no value, and improvements are valued",
            f"p.{name} IS NULL AND p.improvement_value > 0",
        )
        for name in _EXPECTED_OF_BUILDINGS
    ),
)
_IMPOSSIBLE = (
    ("year_built", "is before 1600 or after next year", "p.year_built NOT BETWEEN 1600 AND :year + 1"),
    ("effective_year", "is before the year built, or after next year", "p.effective_year < p.year_built"),
    ("living_area_sqft", "is not above 0", "p.living_area_sqft <= 0"),
    ("land_area_sqft", "is not above 0", "p.land_area_sqft <= 0"),
    ("bedrooms", "is negative", "p.bedrooms < 0"),
    ("bathrooms", "is negative", "p.bathrooms < 0"),
    ("stories", "is negative", "p.stories < 0"),
    ("land_value", "is negative", "p.land_value < 0"),
    ("improvement_value", "is negative", "p.improvement_value < 0"),
    ("total_value", "is negative", "p.total_value < 0"),
    (
        "total_value",
        "is not land and improvements together",
        "abs(p.total_value - p.land_value - p.improvement_value) > 1",
    ),
    ("last_sale_price", "is negative", "p.last_sale_price < 0"),
    ("longitude", "is no place on Earth", "p.longitude NOT BETWEEN -180 AND 180 OR p.latitude NOT BETWEEN -90 AND 90"),
)
"""Nothing that is merely unusual: what cannot be of any parcel. Land and improvements may be a dollar off, as systems
round each of them."""
_DUPLICATE = (
    ("parcel_number", "is that of another parcel", "p.parcel_number"),
    ("situs_address", "is that of another parcel of the city and unit", "p.situs_address, p.situs_city, p.situs_unit"),
)

RULES: tuple[QualityRule, ...] = (
    *_MISSING,
    *(QualityRule(field, "impossible", text, f"({condition})") for field, text, condition in _IMPOSSIBLE),
    *(
        QualityRule(
            field,
            "duplicate",
            text,
            f"p.{field} IS NOT NULL AND count(*) OVER (PARTITION BY {columns}) > 1",
        )
        for field, text, columns in _DUPLICATE
    ),
)


class RuleCount(Schema):
    """The parcels that a rule finds, of all current parcels of the class; "" is the class of parcels without one."""

    field: str
    problem: Problem
    text: str
    property_class: str
    parcels: int


class RuleTotal(Schema):
    """The parcels of every class that a rule finds, and their share of the county's in percent."""

    field: str
    problem: Problem
    text: str
    parcels: int
    percent: float


class DataQuality(Schema):
    """All rules that find something, the county's and by class; `parcels` are the county's current parcels."""

    parcels: int
    parcels_with_problems: int
    rules: int
    rules_with_problems: int
    totals: tuple[RuleTotal, ...]
    by_class: tuple[RuleCount, ...]
