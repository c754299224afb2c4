"""Trained models as the API shows them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.jobs.schemas import Job
from shared.schemas import RequestSchema, Schema

PropertyClass = Annotated[str, StringConstraints(min_length=1, max_length=100)]
PropertyClasses = Annotated[tuple[PropertyClass, ...], Field(min_length=1, max_length=50)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]

Standing = Literal["challenger", "champion", "retired"]
"""A trained model is a challenger until it is promoted, and retired when another has taken its place."""

HoldOutStratum = Literal["neighborhood", "property_class", "price_decile", "sale_quarter"]


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


class Statistic(Schema):
    """A statistic and its confidence interval (95 %); null where the sample allows none."""

    value: float
    low: float | None
    high: float | None


class StatisticVerdict(Schema):
    """A statistic held against the standard's range, in a sentence that can be quoted."""

    statistic: str
    result: str
    sentence: str


class Accuracy(Schema):
    """A comparison of values with the prices of sales that the model had not seen; nothing is trimmed.

    `mape` is the mean absolute error as a percentage of the price; `coverage` the share of the prices inside the
    80 % interval. `statistics` are those of a ratio study: median, mean, weighted_mean, cod, cov, prd, prb, mki, vei.
    """

    sales: int
    statistics: dict[str, Statistic]
    mape: float
    coverage: float
    verdicts: tuple[StatisticVerdict, ...]
    notes: tuple[str, ...]


class StratumAccuracy(Schema):
    """The held-out sales of one stratum; without `accuracy`, `reason` says why."""

    stratum: HoldOutStratum
    value: str
    sales: int
    accuracy: Accuracy | None
    reason: str | None


class ComponentAccuracy(Schema):
    """One of the models that are reconciled, on the same held-out sales, and its weight."""

    component: str
    weight: float
    sales: int
    median: float
    cod: float
    prd: float
    mape: float


class HoldOutFold(Schema):
    """Sales from `valued_as_of` to `tested_to`, valued by a model of the sales before."""

    valued_as_of: date
    tested_to: date
    trained_on: int
    tested: int


class Training(Schema):
    """The sales, features and libraries that the model was made with."""

    first_sale_date: date
    last_sale_date: date
    sales_used: int
    sales_excluded: dict[str, int]
    features: tuple[str, ...]
    weights: dict[str, float]
    data_version: str
    library_versions: dict[str, str]


class Artifact(Schema):
    """The trained model as it is kept; it holds no code."""

    sha256: str
    size_bytes: int


class ModelSummary(Schema):
    """A trained model's training, accuracy and artifact.

    `meets_standard` is false where a statistic of the hold-out does not meet its range of the standard; `findings`
    are the sentences that say so.
    """

    method: str
    valuation_date: date
    property_classes: tuple[str, ...] | None
    seed: int
    training: Training
    hold_out_sales: int
    statistics: dict[str, Statistic]
    mape: float
    coverage: float
    meets_standard: bool
    findings: tuple[str, ...]
    artifact: Artifact


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


class ValuationModelResults(Schema):
    """A trained model and its accuracy on the hold-out: overall, by stratum and by component."""

    model_id: UUID
    model: ModelSummary
    protocol: str
    folds: tuple[HoldOutFold, ...]
    overall: Accuracy
    strata: tuple[StratumAccuracy, ...]
    components: tuple[ComponentAccuracy, ...]
