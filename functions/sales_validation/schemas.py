"""Sales validation as the API shows it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from shared.schemas import RequestSchema, Schema

Rule = Literal[
    "not_arms_length",
    "multi_parcel",
    "nominal_price",
    "implausible_price",
    "deed_type",
    "sale_type",
    "related_parties",
    "institutional_party",
    "flip",
    "duplicate",
    "improved_after_sale",
    "improved_in_year_of_sale",
    "model_outlier",
    "changed_since_decision",
]
Decision = Literal["valid", "invalid", "as_coded"]


class SalesValidationRequest(RequestSchema):
    """Every current sale of the county is validated. What is left out is as the county's configuration says.

    `outlier_deviations` are robust standard deviations from the value by comparable sales; `flip_change` is the
    share by which the price changed at a resale within `flip_months`.
    """

    nominal_price: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = None
    outlier_deviations: Annotated[float, Field(ge=2, le=20)] | None = None
    flip_months: Annotated[int, Field(ge=1, le=60)] | None = None
    flip_change: Annotated[float, Field(gt=0, le=10)] | None = None


class SalesValidationResults(Schema):
    """Results of a validation. `flags` counts standing flags by rule; a sale may have several.

    `new_flags` and `cleared_flags` are against the validation before; `notes` say what could not be tested.
    """

    sales: int
    flagged_sales: int
    flags: dict[Rule, int]
    new_flags: int
    cleared_flags: int
    tested_against_model: int
    notes: tuple[str, ...]


class Flag(Schema):
    """One rule that a sale breaks; `reason` is in words, with the numbers."""

    rule: Rule
    reason: str
    validation_id: UUID
    flagged_at: AwareDatetime
    cleared_at: AwareDatetime | None = None


class DecisionRequest(RequestSchema):
    """`valid` and `invalid` go before the county's code; `as_coded` lets the code hold again."""

    decision: Decision
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


def _require_distinct(sale_ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(sale_ids)) != len(sale_ids):
        raise ValueError("name each sale once")
    return sale_ids


class DecisionsRequest(DecisionRequest):
    """The same decision on several sales: on all of them or on none."""

    sale_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=500), AfterValidator(_require_distinct)]


class SaleDecision(Schema):
    """Who decided what, and what the county's code and the flags said then."""

    decision_id: UUID
    sale_id: str
    decision: Decision
    note: str
    validity_code: str
    rules: tuple[Rule, ...]
    decided_by: str
    decided_at: datetime
    superseded_at: datetime | None


class FlaggedSale(Schema):
    """A sale with the flags that stand, and the decision that holds.

    `used_as_evidence` says whether valuation and ratio studies use it: by the decision, or by the county's code.
    """

    sale_id: str
    property_id: str
    address: str | None
    sale_date: date
    sale_price: Decimal
    validity_code: str
    used_as_evidence: bool
    flags: tuple[Flag, ...]
    decision: SaleDecision | None


class SaleReview(FlaggedSale):
    """One sale with its whole history: earlier flags and every decision, newest first."""

    cleared_flags: tuple[Flag, ...]
    decisions: tuple[SaleDecision, ...]
