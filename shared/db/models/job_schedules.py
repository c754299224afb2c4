"""Schedules of jobs."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class JobSchedule(Tenant, Model):
    """A job that is made again at times: its kind and parameters, and the user for whom and with whose permissions."""

    __tablename__ = "job_schedules"

    schedule_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cron: Mapped[str]
    timezone: Mapped[str]
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    permissions: Mapped[str]
    """In the county, separated by blanks: those of the user when the schedule was made or last started."""
    last_run_at: Mapped[Timestamp | None]
    last_job_id: Mapped[UUID | None]
    last_error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[Created]

    __table_args__ = (Index("ix_job_schedules_newest", "county_id", "created_at", "schedule_id"),)
