"""Ratio studies as jobs: submitted, looked at, and their results."""

from uuid import UUID

from functions.ratio_study.schemas import RatioStudyRequest
from shared import jobs
from shared.access import Caller
from shared.contracts.ratio_study import RatioStudyResults
from shared.jobs import Job
from shared.jobs.large_results import answerable_results
from shared.problems import Conflict, NotFound, Unprocessable

KIND = "ratio_study"
_VALUATION_RUN = "valuation_run"


def submit(county_id: str, request: RatioStudyRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a study.

    Raises Unprocessable for a valuation run that the county does not have, Conflict for one that has not succeeded.
    """
    if request.valuation_run_id is not None:
        _require_succeeded(county_id, request.valuation_run_id)
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def _require_succeeded(county_id: str, run_id: UUID) -> None:
    try:
        run = jobs.get(county_id, _VALUATION_RUN, run_id)
    except NotFound as error:
        raise Unprocessable(
            f"{county_id} has no valuation run {run_id}.",
            pointer="/valuation_run_id",
            slug="valuation-run-not-found",
        ) from error
    if run.status != "succeeded":
        raise Conflict(
            f"Valuation run {run_id} is {run.status}: a study needs one that has succeeded.",
            slug="valuation-run-not-succeeded",
        )


def get(county_id: str, study_id: UUID) -> Job:
    """A study's job. Raises NotFound."""
    return jobs.get(county_id, KIND, study_id)


def results(county_id: str, study_id: UUID) -> RatioStudyResults:
    """The results of the study. Raises NotFound, Conflict before it has succeeded, and ResultsTooLargeError."""
    return answerable_results(RatioStudyResults, county_id, KIND, study_id)
