"""Routes of market analyses."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.market_analysis.schemas import DownloadFormat, MarketAnalysisRequest, MarketAnalysisResults
from functions.market_analysis.service import download, requests
from shared.access import Permission
from shared.api import Api, accepted, answer, declare_job_commands, see_other
from shared.jobs import Job

api = Api("market_analysis")
handler = api.handler

_ALL = "/v1/counties/{county_id}/market-analyses"
_ONE = _ALL + "/{analysis_id}"


@api.post(_ALL, permission=Permission.RUN_MARKET_ANALYSIS, summary="Start a market analysis", status=202)
def start_analysis(county_id: str, body: MarketAnalysisRequest) -> Response[Job]:
    """What the market did, month by month: volume, prices, and price indices by characteristics and by resales."""
    return accepted(requests.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key))


declare_job_commands(api, _ONE, kind=requests.KIND, permission=Permission.RUN_MARKET_ANALYSIS)


@api.get(_ONE, permission=Permission.VIEW_MARKET_ANALYSIS, summary="A market analysis' progress")
def get_analysis(county_id: str, analysis_id: UUID) -> Response[Job]:
    """How an analysis goes."""
    return answer(requests.get(county_id, analysis_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_MARKET_ANALYSIS, summary="What a market analysis found")
def get_analysis_results(county_id: str, analysis_id: UUID) -> Response[MarketAnalysisResults]:
    """The months of all sales together and of each group, the groups compared, and factors to a valuation date.

    Results of more than 4 MB are a 303 to their address, which holds for 15 minutes.
    """
    return answer(requests.results(county_id, analysis_id))


@api.get(_ONE + "/download", permission=Permission.VIEW_MARKET_ANALYSIS, summary="Take a file of it", status=303)
def download_analysis(
    county_id: str,
    analysis_id: UUID,
    file_format: Annotated[DownloadFormat, Query(alias="format")] = "json",
) -> Response[Any]:
    """Redirect (303) to an address that holds for 15 minutes: the results as JSON, or a row a group and month."""
    return see_other(download.file_address(county_id, analysis_id, file_format))
