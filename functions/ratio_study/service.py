"""The rules of asking for a ratio study, and of looking at it."""

from uuid import UUID

from functions.ratio_study.schemas import RatioStudyRequest, RatioStudyResults
from shared import jobs
from shared.access import Caller
from shared.jobs import Job

KIND = "ratio_study"


def submit(county_id: str, request: RatioStudyRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a study."""
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, study_id: UUID) -> Job:
    """A study's job. Raises NotFound."""
    return jobs.get(county_id, KIND, study_id)


def results(county_id: str, study_id: UUID) -> RatioStudyResults:
    """What a study found. Raises NotFound, and Conflict while it has not succeeded."""
    return RatioStudyResults.model_validate(jobs.results(county_id, KIND, study_id))
