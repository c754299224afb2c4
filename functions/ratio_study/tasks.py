"""The jobs machine's task of ratio studies."""

import numpy as np

from functions.ratio_study import repository
from functions.ratio_study.domain.study import make_study
from functions.ratio_study.repository import StudySales
from functions.ratio_study.schemas import ATTRIBUTE_PREFIX, RatioStudyRequest, RatioStudyResults
from functions.ratio_study.service.requests import KIND
from shared.appraisal.errors import AppraisalInputError
from shared.jobs import RunningJob, job_task
from shared.problems import Unprocessable

_MAX_NAMED = 40


def run(job: RunningJob) -> RatioStudyResults:
    """Read the county's sales and study them."""
    request = RatioStudyRequest.model_validate(job.parameters)
    sales = repository.read(job.county_id, request)
    if request.value_source == "roll" and sales.stored_value is not None and not np.isfinite(sales.stored_value).any():
        detail = f"{job.county_id} has no sold property with a value in the roll of {request.roll_year}."
        raise Unprocessable(detail, slug="roll-year-not-found")
    _refuse_unknown_attributes(job.county_id, request, sales)
    try:
        return make_study(request, sales, job.progress)
    except AppraisalInputError as error:
        raise Unprocessable(f"The study cannot be made: {error.problem}.", slug="ratio-study-not-possible") from error


def _refuse_unknown_attributes(county_id: str, request: RatioStudyRequest, sales: StudySales) -> None:
    """Raise Unprocessable for a stratum by an attribute that no sold property has: a mistyped name is no stratum."""
    for name in request.strata:
        if not name.startswith(ATTRIBUTE_PREFIX) or any(value is not None for value in sales.columns[name]):
            continue
        known = repository.known_attributes(county_id)
        there = ", ".join(known[:_MAX_NAMED]) + (", ..." if len(known) > _MAX_NAMED else "")
        raise Unprocessable(
            f"No sold property has the attribute {name.removeprefix(ATTRIBUTE_PREFIX)!r}: there is no stratum {name}."
            f" Attributes that they have: {there or 'none'}.",
            slug="stratum-unknown",
        )


handler = job_task({KIND: run})
