"""Requests for ratio studies: what they must refer to."""

from functions.ratio_study.schemas import RatioStudyRequest
from shared import jobs
from shared.problems import Conflict, NotFound, Unprocessable

_VALUATION_RUN = "valuation_run"


def require_valuation_run(county_id: str, request: RatioStudyRequest) -> None:
    """Raise Unprocessable for a valuation run that the county lacks, Conflict for one that has not succeeded."""
    run_id = request.valuation_run_id
    if run_id is None:
        return
    try:
        run = jobs.record(county_id, _VALUATION_RUN, run_id)
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
