"""Models of schedules, and what is known here of the kinds of jobs that they repeat."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, RootModel, StringConstraints, TypeAdapter

from shared.access import Permission
from shared.counties.configuration import Cron
from shared.jobs.schemas import JobError
from shared.schemas import RequestSchema, Schema

_KINDS = Path(__file__).with_name("kinds.json")
"""Derived from every module's job kinds by `python -m infra.openapi`: a function carries its own module only."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RepeatableKind(Schema):
    """A kind of job that can be repeated: the collection of its jobs, their links, who submits and who sees them."""

    collection: str
    linked: tuple[str, ...]
    run: Permission
    view: Permission


KINDS = TypeAdapter(dict[str, RepeatableKind]).validate_json(_KINDS.read_text())
"""By name."""


class JobParameters(RootModel[dict[str, Any]]):
    """The parameters of a job, as its kind's own model has validated and recorded them."""


class ScheduleRequest(RequestSchema):
    """A schedule that makes a job again: `job_id` is the job whose kind and parameters it repeats.

    `cron` is an EventBridge expression of six fields (minutes hours day-of-month month day-of-week year), read in
    `timezone`, by default the county's.
    """

    job_id: UUID
    name: Name
    cron: Cron
    timezone: TimeZone | None = None


class SchedulePatch(RequestSchema):
    """A change of a schedule. `enabled` stops or starts it."""

    name: Name | None = None
    cron: Cron | None = None
    timezone: TimeZone | None = None
    enabled: bool | None = None


class Schedule(Schema):
    """A schedule. `last_job_id` is the job that it made last, at `last_run_at`; `last_error` why it made none then.

    It acts for the user who created it, with the permissions that this user had then. `disabled_reason` is why the
    platform stopped it.
    """

    schedule_id: UUID
    name: str
    kind: str
    parameters: dict[str, Any]
    cron: str
    timezone: str
    enabled: bool
    disabled_reason: str | None
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_job_id: UUID | None
    last_error: JobError | None
    created_by: str
    created_at: datetime
    links: dict[str, str] = Field(description="`last_job`, and its results or its file, where there is one")
    version: int
