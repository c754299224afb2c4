"""Valuation: trained models, champions, values, county-wide runs, and what they brought to the roll."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Money, RollMoney, Tenant, Timestamp

Json = dict[str, Any]


class ValuationModel(Tenant, Model):
    """A trained model and what it is known to do on sales that it never saw; its id is that of the job that made it.

    `property_classes` NULL means sales of every class. `data_version` is that of the evidence it was trained on.
    """

    __tablename__ = "valuation_models"

    model_id: Mapped[UUID] = mapped_column(primary_key=True)
    method: Mapped[str]
    valuation_date: Mapped[date]
    property_classes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    seed: Mapped[int]
    data_version: Mapped[str]
    artifact_key: Mapped[str]
    artifact_digest: Mapped[str]
    details: Mapped[Json] = mapped_column(JSONB)
    created_by: Mapped[str]
    created_at: Mapped[Created]
    promoted_at: Mapped[Timestamp | None]

    __table_args__ = (Index(None, "county_id", "valuation_date"),)


class ValuationChampion(Tenant, Model):
    """The champion of a class of property as of a day; the class "" stands for every class without its own."""

    __tablename__ = "valuation_champions"

    property_class: Mapped[str] = mapped_column(primary_key=True)
    valuation_date: Mapped[date] = mapped_column(primary_key=True)
    model_id: Mapped[UUID]
    promoted_by: Mapped[str]
    promoted_at: Mapped[Created]
    override_reason: Mapped[str | None]

    __table_args__ = (Index(None, "county_id", "model_id"),)


class ValuationComparablesModel(Tenant, Model):
    """The comparable-sales model that is kept of a class ("" is every class) and a day; its id is that of its job.

    `sales_version` is that of the sales it was fitted on, `read_at` when they were read.
    """

    __tablename__ = "valuation_comparables_models"

    property_class: Mapped[str] = mapped_column(primary_key=True)
    valuation_date: Mapped[date] = mapped_column(primary_key=True)
    model_id: Mapped[UUID]
    sales_version: Mapped[str]
    artifact_key: Mapped[str]
    artifact_digest: Mapped[str]
    details: Mapped[Json] = mapped_column(JSONB)
    read_at: Mapped[Timestamp]


class Valuation(Tenant, Model):
    """A value that was given out, with everything that explains it. Without a model it was fitted on the fly."""

    __tablename__ = "valuations"

    valuation_id: Mapped[UUID] = mapped_column(primary_key=True)
    property_id: Mapped[str]
    valuation_date: Mapped[date]
    method: Mapped[str]
    model_id: Mapped[UUID | None]
    estimate: Mapped[Money]
    lower: Mapped[Money | None]
    upper: Mapped[Money | None]
    confidence: Mapped[Decimal | None]
    details: Mapped[Json] = mapped_column(JSONB)
    request_digest: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[Created]

    __table_args__ = (Index(None, "county_id", "property_id"),)


class ValuationRun(Tenant, Model):
    """A county, or a part of it, valued as of one day; its life cycle is the job of the same id.

    `models` lists which model values which class (null for every other one). The counts are those of a finished run.
    """

    __tablename__ = "valuation_runs"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    valuation_date: Mapped[date]
    models: Mapped[list[Any]] = mapped_column(JSONB)
    data_version: Mapped[str]
    properties: Mapped[int]
    planned_at: Mapped[Created]
    valued: Mapped[int | None]
    not_valued: Mapped[int | None]
    review: Mapped[int | None]


class ValuationRunResult(Tenant, Model):
    """The result of a run for one property: a value, or the reason why there is none.

    `current_value` is the property's total value when it was valued. `comparables` are the heaviest sales with
    their adjusted prices and weights; `contributions` dollars by feature.
    """

    __tablename__ = "valuation_run_results"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    property_id: Mapped[str] = mapped_column(primary_key=True)
    partition_no: Mapped[int]
    property_class: Mapped[str | None]
    neighborhood: Mapped[str | None]
    model_id: Mapped[UUID | None]
    current_value: Mapped[Money | None]
    estimate: Mapped[Money | None]
    lower: Mapped[Money | None]
    upper: Mapped[Money | None]
    land_value: Mapped[Money | None]
    improvement_value: Mapped[Money | None]
    confidence: Mapped[float | None]
    review: Mapped[bool]
    flags: Mapped[list[Any]] = mapped_column(JSONB)
    refusal: Mapped[str | None]
    contributions: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    comparables: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("(estimate IS NULL) = (refusal IS NOT NULL)", name="value_or_refusal"),
        Index("ix_valuation_run_results_partition_no", "county_id", "run_id", "partition_no"),
        Index("ix_valuation_run_results_neighborhood", "county_id", "run_id", "neighborhood", "property_id"),
        Index(
            "ix_valuation_run_results_review",
            "county_id",
            "run_id",
            "property_id",
            postgresql_where=text("review"),
        ),
    )


class Roll(Tenant, Model):
    """An assessment roll that somebody has closed, or opened again. A roll year without a row is open.

    `closed_*` is what a closed one came to when it was closed; corrections since have numbers of their own.
    """

    __tablename__ = "rolls"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[Created]
    reason: Mapped[str | None]
    version: Mapped[int]
    closed_assessments: Mapped[int | None]
    closed_total_value: Mapped[RollMoney | None]
    closed_assessed_value: Mapped[RollMoney | None]

    __table_args__ = (CheckConstraint("status IN ('open', 'closed')", name="status"),)


class RollCorrection(Tenant, Model):
    """A change of a closed roll. The database takes changes of a closed roll in the transaction that adds this alone.

    `made_in` is that transaction's number, `roll_version` which closing of the roll is corrected.
    """

    __tablename__ = "roll_corrections"

    roll_year: Mapped[int] = mapped_column(primary_key=True)
    correction_no: Mapped[int] = mapped_column(primary_key=True)
    made_in: Mapped[int] = mapped_column(BigInteger)
    roll_version: Mapped[int]
    sync_run_id: Mapped[UUID | None]
    made_by: Mapped[str]
    made_at: Mapped[Created]
    reason: Mapped[str]
    rows: Mapped[int]
    total_before: Mapped[RollMoney]
    total_after: Mapped[RollMoney]


class ValuationApproval(Tenant, Model):
    """Values of a run that were brought to a roll, until they are taken back; its id is that of its job.

    `skipped` counts values that were not written, by reason; `undo_id` is the job that took it back.
    """

    __tablename__ = "valuation_approvals"

    approval_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    roll_year: Mapped[int]
    filter: Mapped[Json] = mapped_column(JSONB)
    assessments: Mapped[int]
    properties: Mapped[int]
    approved_by: Mapped[str]
    approved_at: Mapped[Created]
    skipped: Mapped[Json] = mapped_column(JSONB)
    undo_id: Mapped[UUID | None]
    undone_by: Mapped[str | None]
    undone_at: Mapped[Timestamp | None]

    __table_args__ = (Index(None, "county_id", "run_id"), Index(None, "county_id", "roll_year"))
