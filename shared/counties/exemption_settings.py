"""A county's exemptions: their types, and the rule of each."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.schemas import RequestSchema

ExemptionType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
"""The name of a type of exemption: `senior_freeze`. Where the county's own system has exemptions of the type too, its
mapping translates their code to this name."""
Authority = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""The law that a rule is of, as people cite it: `RCW 84.36.381(6)`."""
_Amount = Annotated[Decimal, Field(gt=0, le=10**11)]


class AmountRule(RequestSchema):
    """A fixed amount of the value is exempt."""

    kind: Literal["amount"]
    amount: _Amount
    authority: Authority


class ShareRule(RequestSchema):
    """A share of the value is exempt, up to `max_amount`."""

    kind: Literal["share"]
    share: Annotated[Decimal, Field(gt=0, le=1)]
    max_amount: _Amount | None = None
    authority: Authority


class FreezeRule(RequestSchema):
    """The value is frozen: taxable is no more than it was in the first year, and no more than the value of the year.

    Washington's senior exemption is one (RCW 84.36.381): the assessor keeps the market value beside it
    (RCW 84.40.178).
    """

    kind: Literal["freeze"]
    authority: Authority


ExemptionRule = Annotated[AmountRule | ShareRule | FreezeRule, Field(discriminator="kind")]


class ExemptionTypeSettings(RequestSchema):
    """A type of exemption. It is granted for `period_years` roll years unless an application says otherwise, and is
    renewed every `renewal_years`. Of a type that is `one_per_owner` (a homestead) nobody has two.
    """

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    rule: ExemptionRule
    period_years: Annotated[int, Field(ge=1, le=50)] = 1
    renewal_years: Annotated[int, Field(ge=1, le=50)] | None = None
    one_per_owner: bool = False


class ExemptionSettings(RequestSchema):
    """The exemptions that the county grants, by their names."""

    types: Annotated[dict[ExemptionType, ExemptionTypeSettings], Field(max_length=100)] = Field(default_factory=dict)
