"""The jobs machine's task of ratio studies."""

import numpy as np

from functions.ratio_study import repository
from functions.ratio_study.schemas import RatioStudyRequest, RatioStudyResults
from functions.ratio_study.service import KIND
from functions.ratio_study.study import make_study
from shared.appraisal.errors import AppraisalInputError
from shared.jobs import RunningJob, job_task
from shared.problems import Unprocessable


def run(job: RunningJob) -> RatioStudyResults:
    """Read the county's sales and study them."""
    request = RatioStudyRequest.model_validate(job.parameters)
    sales = repository.read(job.county_id, request)
    if request.value_source == "roll" and sales.stored_value is not None and not np.isfinite(sales.stored_value).any():
        detail = f"{job.county_id} has no sold property with a value in the roll of {request.roll_year}."
        raise Unprocessable(detail, slug="roll-year-not-found")
    try:
        return make_study(request, sales, job.progress)
    except AppraisalInputError as error:
        raise Unprocessable(f"The study cannot be made: {error.problem}.", slug="ratio-study-not-possible") from error


handler = job_task({KIND: run})
