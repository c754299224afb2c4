"""Settings of the checks that come before a roll is certified."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from shared.access import Role
from shared.schemas import RequestSchema

CheckSeverity = Literal["blocks", "warns"]
"""`blocks`: no roll is certified that has such rows without a waiver. `warns`: they are in its certificate."""
CheckName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Amount = Annotated[Decimal, Field(gt=0, le=1_000_000_000)]
Names = tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...]
COUNTY_CHECK_PREFIX = "county_"
"""The beginning of the names of a county's own checks in results."""


def _known_rule(rule: dict[str, Any]) -> dict[str, Any]:
    # imported here: every function reads configurations, and few counties write rules
    from shared.mapping.rules.rule_models import THIS_YEAR, TODAY, Compare, Range, Reference, Total, Validation

    parsed: Any = TypeAdapter(Validation).validate_python(rule)
    if isinstance(parsed, Reference):
        raise ValueError("a check of a roll has no rule `reference`")
    unknown = sorted(set(parsed.columns) - set(ROLL_COLUMNS))
    if unknown:
        raise ValueError(f"a roll has no {', '.join(unknown)}; it has {', '.join(ROLL_COLUMNS)}")
    kinds = [ROLL_COLUMNS[name] for name in parsed.columns]
    if isinstance(parsed, Compare) and len(set(kinds)) > 1:
        raise ValueError(f"{parsed.field} and {parsed.other} are of different types")
    if isinstance(parsed, Total) and set(kinds) != {"numeric"}:
        raise ValueError("a total and its parts are numbers")
    if isinstance(parsed, Range):
        words = {"numeric": THIS_YEAR, "date": TODAY}
        for bound in (parsed.min, parsed.max):
            if bound is not None and bound != words.get(kinds[0]):
                _require_bound(bound, kinds[0])
    return rule


def _require_bound(bound: str, kind: str) -> None:
    """Raise ValueError for a bound that is no value of the column's type."""
    try:
        if kind == "date":
            date.fromisoformat(bound)
        elif kind != "numeric" or not Decimal(bound).is_finite():
            raise ValueError(bound)
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{bound!r} is no bound of a column of type {kind}") from error


ROLL_COLUMNS = {
    "assessment_id": "text",
    "property_id": "text",
    "parcel_number": "text",
    "property_class": "text",
    "property_type": "text",
    "neighborhood": "text",
    "tax_district": "text",
    "situs_address": "text",
    "legal_description": "text",
    "land_value": "numeric",
    "improvement_value": "numeric",
    "total_value": "numeric",
    "assessed_value": "numeric",
    "prior_total_value": "numeric",
    "land_area_sqft": "numeric",
    "living_area_sqft": "numeric",
    "year_built": "numeric",
    "last_sale_date": "date",
    "last_sale_price": "numeric",
    "buildings": "numeric",
}
"""The columns of a roll that rules can name, with their types: those of the assessment, of its parcel, the total of the
year before, and the number of the parcel's improvements."""


class CountyCheck(RequestSchema):
    """A check of the county's own: a rule as mappings have them, over the columns of a roll.

    `owner` is the role that looks at what it finds.
    """

    name: CheckName
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    severity: CheckSeverity = "warns"
    owner: Role = Role.VALUATION_STAFF
    rule: Annotated[dict[str, Any], AfterValidator(_known_rule)]


class RollSettings(RequestSchema):
    """Settings of the checks over a roll.

    `vacant_classes` are the property classes of land without buildings, `improved_classes` those with; `classes_of_use`
    are, by `property_type`, the classes that it may have. A value that rose by more than `increase_limit` or fell by
    more than `decrease_limit` on the year before has to be a person's decision. `severities` changes a check's.
    """

    vacant_classes: Names = ("vacant", "vacant_land")
    improved_classes: Names = ("residential", "multi_family", "condominium", "commercial", "industrial")
    classes_of_use: dict[str, Names] = Field(default_factory=dict)
    # the limits of Cook County's checks before a town closes (ccao-data/data-architecture, dbt/models/qc)
    increase_limit: Amount = Decimal(500_000)
    decrease_limit: Amount = Decimal(1_000_000)
    severities: dict[CheckName, CheckSeverity] = Field(default_factory=dict)
    checks: Annotated[tuple[CountyCheck, ...], Field(max_length=50)] = ()
