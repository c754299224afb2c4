"""Counties, jobs, sync runs and uploads."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp

Json = dict[str, Any]


class County(Tenant, Model):
    """A tenant: its configuration and its mapping as they stand now."""

    __tablename__ = "counties"

    friendly_name: Mapped[str]
    configuration: Mapped[Json] = mapped_column(JSONB)
    mapping: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class Job(Tenant, Model):
    """A long task of any module."""

    __tablename__ = "jobs"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    parameters: Mapped[Json] = mapped_column(JSONB)
    request_digest: Mapped[str]
    progress: Mapped[Json] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    error: Mapped[Json | None] = mapped_column(JSONB)
    submitted_by: Mapped[str]
    created_at: Mapped[Created]
    started_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]
    execution_arn: Mapped[str | None]
    """The execution that works on it, or did."""
    execution_named_at: Mapped[Timestamp | None]
    """Time at which another execution was named than the one that it was created with."""
    committed_at: Mapped[Timestamp | None]
    """Time at which its changes were committed: from then on it is not cancelled."""

    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'cancelled')",
            name="status",
        ),
        Index(None, "county_id", "kind", "created_at"),
        Index("ix_jobs_newest", "county_id", "created_at", "job_id"),
        Index("ix_jobs_under_way", "county_id", postgresql_where=text("status IN ('pending', 'running')")),
    )


class CountyRequestBudget(Tenant, Model):
    """The token bucket of a county's requests: see `shared.counties.request_budget`."""

    __tablename__ = "county_request_budgets"

    tokens: Mapped[float] = mapped_column(Double)
    refilled_at: Mapped[Created]


class JobPartition(Tenant, Model):
    """A partition of a job that has been done; one without a row is still to be done."""

    __tablename__ = "job_partitions"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    partition_no: Mapped[int] = mapped_column(primary_key=True)
    done_at: Mapped[Created]


class SyncRun(Tenant, Model):
    """A run of a sync; its life cycle is the job of the same id."""

    __tablename__ = "sync_runs"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    mode: Mapped[str]
    validate_only: Mapped[bool]
    trigger: Mapped[str]
    mapping_digest: Mapped[str | None]
    plan: Mapped[Json | None] = mapped_column(JSONB)
    base_run: Mapped[UUID | None]
    replay_of: Mapped[UUID | None]
    replay_filter: Mapped[Json | None] = mapped_column(JSONB)
    counts: Mapped[Json | None] = mapped_column(JSONB)
    guard_findings: Mapped[list[Any] | None] = mapped_column(JSONB)
    notes: Mapped[list[Any] | None] = mapped_column(JSONB)
    active: Mapped[bool]
    approved_by: Mapped[str | None]
    approval_reason: Mapped[str | None]
    planned_at: Mapped[Timestamp | None]
    reconciled_at: Mapped[Timestamp | None]
    applied_at: Mapped[Timestamp | None]
    published_at: Mapped[Timestamp | None]
    upload_id: Mapped[UUID | None]
    """The upload whose file it reads in place of the county's source."""
    rolls_back: Mapped[UUID | None]
    """The run that it takes back."""
    rolled_back_by: Mapped[UUID | None]
    """The run that has taken it back."""
    skip_conflicts: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        # one run of a county at a time: the database refuses the second
        Index("uq_sync_runs_active", "county_id", unique=True, postgresql_where=text("active")),
        Index(None, "county_id", "applied_at"),
    )


class SyncPartition(Tenant, Model):
    """A key range of one source table in one run, and what became of it.

    `read_run` and `read_no` name the partition that read the rows last: this one, or, where they are unchanged, one
    of an earlier run.
    """

    __tablename__ = "sync_partitions"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    partition_no: Mapped[int] = mapped_column(primary_key=True)
    lower_key: Mapped[list[Any] | None] = mapped_column(JSONB)
    upper_key: Mapped[list[Any] | None] = mapped_column(JSONB)
    status: Mapped[str]
    digest: Mapped[str | None]
    unchanged: Mapped[bool] = mapped_column(server_default=text("false"))
    rows_read: Mapped[int | None]
    rows_good: Mapped[int | None]
    rows_rejected: Mapped[int | None]
    rows_staged: Mapped[int | None]
    seconds: Mapped[float | None]
    finished_at: Mapped[Timestamp | None]
    raw_key: Mapped[str | None]
    read_run: Mapped[UUID | None]
    read_no: Mapped[int | None]
    error: Mapped[str | None]


class SyncWatermark(Tenant, Model):
    """Watermark of a target: where the next incremental run begins.

    It holds for the mapping that it was read with, and moves in the transaction that applies a run.
    """

    __tablename__ = "sync_watermarks"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    mapping_digest: Mapped[str]
    watermark: Mapped[str | None]
    change_version: Mapped[int | None] = mapped_column(BigInteger)
    run_id: Mapped[UUID]
    moved_at: Mapped[Created]


class SyncFinding(Tenant, Model):
    """A finding of a run on one row that a person should know of; `details` are those of its kind."""

    __tablename__ = "sync_findings"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    finding_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    table_name: Mapped[str]
    row_key: Mapped[str]
    field: Mapped[str | None]
    details: Mapped[Json] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "run_id", "table_name", "kind"),)


class SyncWarning(Tenant, Model):
    """A source row that a run took though it breaks a rule of the county's that only warns, with every reason.

    `partition_no` is 0 where the rule needs more than one row.
    """

    __tablename__ = "sync_warnings"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    table_name: Mapped[str]
    partition_no: Mapped[int]
    source_key: Mapped[str | None]
    target_key: Mapped[str | None]
    source_row: Mapped[Json] = mapped_column(JSONB)
    reasons: Mapped[list[Any]] = mapped_column(JSONB)

    __table_args__ = (Index(None, "county_id", "run_id", "table_name", "partition_no"),)


class RejectedRow(Tenant, Model):
    """A source row in quarantine, as it was read, with every reason.

    `read_run` and `partition_no` name the partition that read it: of the run itself, or, for a replay, of the run
    that first had it. Without a `resolution` it is open; `synced`: a later run took the row, `gone`: the source no
    longer has it, `rejected_again`: a later run has it in quarantine with the reasons of now.
    """

    __tablename__ = "rejected_rows"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    table_name: Mapped[str]
    partition_no: Mapped[int]
    source_key: Mapped[str | None]
    target_key: Mapped[str | None]
    source_row: Mapped[Json] = mapped_column(JSONB)
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    read_run: Mapped[UUID]
    resolution: Mapped[str | None]
    resolved_by_run: Mapped[UUID | None]
    resolved_at: Mapped[Timestamp | None]

    __table_args__ = (
        CheckConstraint("resolution IN ('synced', 'gone', 'rejected_again')", name="resolution"),
        Index(None, "county_id", "run_id", "table_name", "partition_no"),
        Index(
            "ix_rejected_rows_open",
            "county_id",
            "table_name",
            "target_key",
            postgresql_where=text("resolution IS NULL"),
        ),
    )


class Upload(Tenant, Model):
    """A file that a person brings, until it is applied or rejected.

    The job of the same id inspects it; `run_id` is the sync run that compares and applies it. `status` is that of the
    file itself: see `shared.uploads`. `details` is the result of the inspection, `signature` the digest of its
    format and column names, `description` how its file is read.
    """

    __tablename__ = "uploads"

    upload_id: Mapped[UUID] = mapped_column(primary_key=True)
    filename: Mapped[str]
    object_key: Mapped[str]
    status: Mapped[str]
    details: Mapped[Json] = mapped_column(JSONB)
    created_by: Mapped[str]
    created_at: Mapped[Created]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    target_table: Mapped[str | None]
    request_digest: Mapped[str | None]
    signature: Mapped[str | None]
    description: Mapped[Json | None] = mapped_column(JSONB)
    mapping: Mapped[str | None]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[Timestamp | None]
    run_id: Mapped[UUID | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[Timestamp | None]
    decision_reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_uploads_newest", "county_id", "created_at", "upload_id"),
        Index("ix_uploads_sha256", "county_id", "sha256"),
        Index("ix_uploads_signature", "county_id", "signature"),
    )
