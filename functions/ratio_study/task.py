"""The jobs machine's task of ratio studies."""

from functions.ratio_study import repository
from functions.ratio_study.schemas import RatioStudyRequest, RatioStudyResults
from functions.ratio_study.service import KIND
from functions.ratio_study.study import make_study
from shared.appraisal import AppraisalInputError
from shared.jobs import RunningJob, job_task
from shared.problems import Unprocessable


def run(job: RunningJob) -> RatioStudyResults:
    """Read the county's sales and study them."""
    request = RatioStudyRequest.model_validate(job.parameters)
    evidence, excluded = repository.read(job.county_id)
    try:
        return make_study(request, evidence, excluded, job.progress)
    except AppraisalInputError as error:
        raise Unprocessable(f"The study cannot be made: {error.problem}.", slug="ratio-study-not-possible") from error


handler = job_task({KIND: run})
