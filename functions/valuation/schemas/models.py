"""Trained models as the API shows them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.valuation_model import ModelSummary
from shared.jobs.schemas import Job
from shared.schemas import RequestSchema, Schema

PropertyClass = Annotated[str, StringConstraints(min_length=1, max_length=100)]
PropertyClasses = Annotated[tuple[PropertyClass, ...], Field(min_length=1, max_length=50)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]

Standing = Literal["challenger", "champion", "retired"]
"""A trained model is a challenger until it is promoted, and retired when another has taken its place."""


class ValuationModelRequest(RequestSchema):
    """A model to train: of the county's valid sales before the valuation date.

    Without `property_classes` it learns from sales of every class, with the class as a feature. The same data and
    the same seed give the same model.
    """

    valuation_date: date
    property_classes: PropertyClasses | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _classes_once(self) -> "ValuationModelRequest":
        classes = self.property_classes or ()
        if len(set(classes)) != len(classes):
            raise ValueError("property_classes must name each class once")
        return self


class ComparablesModelRequest(RequestSchema):
    """A model to fit: the comparable-sales model of a class ("" is every class) as of a day.

    `sales_version` tells the county's sales, and the decisions on them, from those of another time.
    """

    property_class: Annotated[str, StringConstraints(max_length=100)]
    valuation_date: date
    sales_version: str


class ComparablesModel(Schema):
    """A fitted comparable-sales model, which values a class of property where no trained model is the champion."""

    model_id: UUID
    property_class: str
    valuation_date: date
    first_sale_date: date
    last_sale_date: date
    sales_used: int
    sales_excluded: dict[str, int]


class PromoteModel(RequestSchema):
    """A promotion; `override_reason` is needed where the model's hold-out does not meet the standard."""

    override_reason: Reason | None = None


class ChampionOf(Schema):
    """A class and day that a model is champion of; `property_class` null is every class without its own champion."""

    property_class: str | None
    valuation_date: date
    promoted_by: str
    promoted_at: datetime
    override_reason: str | None


class ValuationModel(Job):
    """A model's job, and once it has succeeded the model."""

    standing: Standing | None
    champion_of: tuple[ChampionOf, ...]
    model: ModelSummary | None
