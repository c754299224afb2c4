"""A long task as its caller sees it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.schemas import Schema

JobStatus = Literal["pending", "running", "awaiting_approval", "succeeded", "failed", "cancelled"]

FINISHED: frozenset[JobStatus] = frozenset({"succeeded", "failed", "cancelled"})


class Progress(Schema):
    """Progress of a job: `done` of `total` units of the step."""

    done: int = 0
    total: int | None = None
    step: str = ""


class JobError(Schema):
    """Why a job failed; `type` is a problem's slug."""

    type: str
    detail: str


class JobRecord(Schema):
    """A long task as it is recorded."""

    id: UUID
    kind: str
    status: JobStatus
    progress: Progress
    submitted_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: JobError | None = None
    parameters: dict[str, Any]


class Job(JobRecord):
    """One long task: 202 answers with it, and GET on its link tells how it goes."""

    links: dict[str, str]
