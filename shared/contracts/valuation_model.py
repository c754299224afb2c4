"""A trained model and its accuracy on its hold-out: written by training, answered by the API, and read by reports."""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.schemas import Schema

HoldOutStratum = Literal["neighborhood", "property_class", "price_decile", "sale_quarter"]


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


class ValuationModelResults(Schema):
    """A trained model and its accuracy on the hold-out: overall, by stratum and by component."""

    model_id: UUID
    model: ModelSummary
    protocol: str
    folds: tuple[HoldOutFold, ...]
    overall: Accuracy
    strata: tuple[StratumAccuracy, ...]
    components: tuple[ComponentAccuracy, ...]
