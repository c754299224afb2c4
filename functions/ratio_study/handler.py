"""Routes of ratio studies."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.ratio_study.schemas import RatioStatistics, RatioStatisticsRequest, RatioStudyRequest
from functions.ratio_study.service import requests
from shared.access import Permission
from shared.api import Api, accepted, answer, declare_job_commands, faults_in_body
from shared.contracts.ratio_study import RatioStudyResults
from shared.jobs import Job

api = Api("ratio_study")
handler = api.handler

_ALL = "/v1/counties/{county_id}/ratio-studies"
_ONE = _ALL + "/{study_id}"


@api.post(_ALL, permission=Permission.RUN_VALUATION, summary="Start a ratio study", status=202)
def start_study(county_id: str, body: RatioStudyRequest) -> Response[Job]:
    """Compare values with sale prices, overall and by stratum, against the IAAO Standard on Ratio Studies."""
    with faults_in_body():
        job = requests.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


declare_job_commands(api, _ONE, kind=requests.KIND, permission=Permission.RUN_VALUATION)


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="A ratio study's progress")
def get_study(county_id: str, study_id: UUID) -> Response[Job]:
    """How a study goes."""
    return answer(requests.get(county_id, study_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_VALUATION, summary="What a ratio study found")
def get_study_results(county_id: str, study_id: UUID) -> Response[RatioStudyResults]:
    """Statistics with confidence intervals and verdicts, overall and by stratum.

    Results of more than 4 MB are a 303 to their address, which holds for 15 minutes.
    """
    return answer(requests.results(county_id, study_id))


@api.post("/v1/ratio-statistics", permission=Permission.VIEW_VALUATION, summary="Study a list of pairs")
def study_pairs(body: RatioStatisticsRequest) -> Response[RatioStatistics]:
    """Statistics with confidence intervals and verdicts of values and prices that are sent along; nothing is kept."""
    from functions.ratio_study.service import pair_statistics  # with it the numeric libraries of this route alone

    with faults_in_body():
        return answer(pair_statistics.statistics_of(body))
