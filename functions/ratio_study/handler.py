"""Routes of ratio studies."""

from aws_lambda_powertools.event_handler import Response

from functions.ratio_study.job_kinds import RATIO_STUDY
from functions.ratio_study.schemas import RatioStatistics, RatioStatisticsRequest
from functions.ratio_study.service import requests
from shared.access import Permission
from shared.api import Api, Operation, answer, declare_job_routes, faults_in_body

api = Api("ratio_study")
handler = api.handler

declare_job_routes(
    api,
    RATIO_STUDY,
    submit=Operation(
        "start_study",
        "Start a ratio study",
        "Compare values with sale prices, overall and by stratum, against the IAAO Standard on Ratio Studies.",
    ),
    check=requests.require_valuation_run,
    get=Operation("get_study", "A ratio study's progress", "How a study goes."),
    results=Operation(
        "get_study_results",
        "The results of a ratio study",
        "Statistics with confidence intervals and verdicts, overall and by stratum.\n\n"
        "Results of more than 4 MB are a 303 to their address, which holds for 15 minutes.",
    ),
)


@api.post("/v1/ratio-statistics", permission=Permission.VIEW_VALUATION, summary="Study a list of pairs")
def study_pairs(body: RatioStatisticsRequest) -> Response[RatioStatistics]:
    """Statistics with confidence intervals and verdicts of values and prices that are sent along; nothing is kept."""
    from functions.ratio_study.service import pair_statistics  # with it the numeric libraries of this route alone

    with faults_in_body():
        return answer(pair_statistics.statistics_of(body))
