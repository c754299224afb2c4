"""The changes of a valuation run: summarized when it ends, answered by the API, and read by reports."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from shared.schemas import Schema


class ModelOfClass(Schema):
    """The model that values a class; null stands for every class that no other entry names."""

    property_class: str | None
    model_id: UUID


class Change(Schema):
    """Values of a run beside the current ones. Percentiles are of the change in percent, where both are known."""

    properties: int
    valued: int
    not_valued: int
    review: int
    estimate_total: Decimal
    compared: int = Field(description="properties with a value of both kinds; the totals and changes below are theirs")
    compared_estimate_total: Decimal
    compared_current_total: Decimal
    change_percent: float | None
    p5: float | None
    p25: float | None
    median: float | None
    p75: float | None
    p95: float | None


class GroupChange(Change):
    """The changes of one neighborhood or class; "" where it is unknown."""

    group: str


class ValuationRunSummary(Schema):
    """The changes of a run: overall, by neighborhood and by class; and counts by flag and by reason for no value."""

    valuation_date: date
    models: tuple[ModelOfClass, ...]
    data_version: str
    overall: Change
    by_neighborhood: tuple[GroupChange, ...]
    by_property_class: tuple[GroupChange, ...]
    flags: dict[str, int]
    not_valued: dict[str, int]
