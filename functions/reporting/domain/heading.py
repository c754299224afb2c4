"""The heading of a report: county, job, time and approval."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Approval:
    """Who approved a report, and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Heading:
    """The county that a report is of, the job that builds it, the time at which it was requested, and its approval.

    `generated_at` is the job's time, not the clock's, so that a job that runs twice makes the same file.
    """

    county_id: str
    county_name: str
    job_id: str
    generated_at: datetime
    approval: Approval | None = None
