"""The plan of a batch: decisions of its first step, kept for the later ones."""

from datetime import date

from functions.notices.schemas import SkipReason
from shared import storage
from shared.jobs import RunningJob
from shared.schemas import Schema

_PLAN = "plan.json"


class BatchPlan(Schema):
    """The decisions of a batch's first step: the roll before, the deadline, the template, and what gets no notice."""

    previous_year: int
    deadline: date
    template_version: int
    letters: int
    skipped: dict[SkipReason, int]


def keep_plan(job: RunningJob, plan: BatchPlan) -> None:
    """Store a plan; one that is there is replaced."""
    storage.put(job.key(_PLAN), plan.model_dump_json().encode(), "application/json")


def kept_plan(job: RunningJob) -> BatchPlan:
    """The stored plan. Raises NotFound where it was lost."""
    return BatchPlan.model_validate_json(storage.get(job.key(_PLAN)))
