"""Valuation runs, and the approval of their values, as the API shows them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from functions.valuation.schemas.models import PropertyClasses
from shared.appraisal.avm.flag_codes import FlagCode
from shared.contracts.valuation_run import ModelOfClass, ValuationRunSummary
from shared.jobs.download import StoredFile
from shared.jobs.schemas import Job
from shared.schemas import RequestSchema, Schema

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ExportFormat = Literal["csv", "parquet"]
RunFlag = Literal[FlagCode, "carried_by_trend", "carried_beyond_usual", "large_change"]
"""Flags of a run's value: those of its model, and those of the run."""

MAX_PROPERTY_IDS = 25_000
"""Ids of a filter: half a megabyte of a request. A larger part of a county is named by its classes or neighborhoods."""
MAX_IDS_SHOWN = 100
"""Choice: a page of 50 runs then stays below 1 MB."""


@dataclass(frozen=True)
class ResultFilter:
    """Conditions on a run's results; None is no condition."""

    review: bool | None = None
    neighborhood: str | None = None
    property_class: str | None = None
    flag: RunFlag | None = None
    valued: bool | None = None


class RunFilter(RequestSchema):
    """A selection of properties of the current roll, by every condition given. Without any, all of them."""

    property_classes: PropertyClasses | None = None
    neighborhoods: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)] | None = None
    property_ids: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_PROPERTY_IDS)] | None = None


class ValuationRunRequest(RequestSchema):
    """A valuation run as of a day, by the champions of the classes unless a model is named."""

    valuation_date: date
    model_id: UUID | None = None
    filter: RunFilter = RunFilter()


class RunPartition(Schema):
    """The properties after `after` up to `to`, by id; null `after` is the beginning."""

    after: str | None
    to: str


class ValuationRunResults(ValuationRunSummary):
    """The summary as it is kept, with the files that were made of the results."""

    files: dict[ExportFormat, StoredFile]


class Approval(Schema):
    """Values of a run that were brought to a roll."""

    approval_id: UUID
    roll_year: int
    filter: dict[str, Any]
    assessments: int
    properties: int
    approved_by: str
    approved_at: datetime
    undone_by: str | None
    undone_at: datetime | None


class ValuationRun(Job):
    """A run's job, how many properties it has done, and what became of its values.

    Of a filter's property ids `parameters` show the first hundred, and how many there are as `property_ids_total`.
    """

    properties: int | None
    valued: int
    not_valued: int
    review: int
    models: tuple[ModelOfClass, ...]
    approvals: tuple[Approval, ...]


class ComparableSale(Schema):
    """A comparable of most weight: its price with every adjustment to the property."""

    sale_id: str
    adjusted_price: Decimal
    weight: float


class RunResult(Schema):
    """A property's value of a run, or in `refusal` the reason why it has none.

    `contributions` are dollars by feature, counted from `base`; together they are the estimate.
    """

    property_id: str
    property_class: str | None
    neighborhood: str | None
    model_id: UUID | None
    current_value: Decimal | None
    change_percent: float | None
    estimate: Decimal | None
    low: Decimal | None
    high: Decimal | None
    land_value: Decimal | None
    improvement_value: Decimal | None
    confidence: float | None
    review: bool
    flags: tuple[str, ...]
    refusal: str | None
    contributions: dict[str, Decimal] | None
    comparables: tuple[ComparableSale, ...] | None


class ApprovalFilter(RunFilter):
    """A selection of a run's values. `review` false excludes those to be reviewed, true takes only them."""

    review: bool | None = None


class ApproveRun(RequestSchema):
    """An approval of a run's values to the roll of a year; without a filter all of them."""

    roll_year: Annotated[int, Field(ge=1900, le=2200)]
    filter: ApprovalFilter = ApprovalFilter()


class UndoApproval(RequestSchema):
    """The approval of a run to undo; without an id the latest that stands."""

    approval_id: UUID | None = None


class ApprovalJob(Schema):
    """A job at the roll: the approval of a run's values, or the undoing of an approval."""

    action: Literal["approve", "undo"]
    run_id: UUID
    roll_year: int | None = None
    filter: ApprovalFilter = ApprovalFilter()
    approval_id: UUID | None = None


class ApprovalResults(Schema):
    """The changes of an approval, or of its undoing.

    `skipped` counts values that the filter took and that were not written, by reason.
    """

    action: Literal["approve", "undo"]
    approval_id: UUID
    run_id: UUID
    roll_year: int
    assessments: int
    properties: int
    skipped: dict[str, int]
