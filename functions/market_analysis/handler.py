"""Routes of market analyses."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.market_analysis import service
from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared.access import Permission
from shared.api import Api, accepted, answer
from shared.jobs import Job

api = Api("market_analysis")
handler = api.handler

_ALL = "/v1/counties/{county_id}/market-analyses"
_ONE = _ALL + "/{analysis_id}"


@api.post(_ALL, permission=Permission.RUN_MARKET_ANALYSIS, summary="Start a market analysis", status=202)
def start_analysis(county_id: str, body: MarketAnalysisRequest) -> Response[Job]:
    """What the market did, month by month: sales, median prices and a constant-quality price index."""
    return accepted(service.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_ONE, permission=Permission.VIEW_MARKET_ANALYSIS, summary="A market analysis' progress")
def get_analysis(county_id: str, analysis_id: UUID) -> Response[Job]:
    """How an analysis goes."""
    return answer(service.get(county_id, analysis_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_MARKET_ANALYSIS, summary="What a market analysis found")
def get_analysis_results(county_id: str, analysis_id: UUID) -> Response[MarketAnalysisResults]:
    """The months of all sales together, and of each group."""
    return answer(service.results(county_id, analysis_id))
