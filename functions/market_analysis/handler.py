"""Routes of market analyses."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.market_analysis.job_kinds import MARKET_ANALYSIS
from functions.market_analysis.schemas import DownloadFormat
from functions.market_analysis.service import download
from shared.api import Api, Operation, declare_job_routes, see_other

api = Api("market_analysis")
handler = api.handler

declare_job_routes(
    api,
    MARKET_ANALYSIS,
    submit=Operation(
        "start_analysis",
        "Start a market analysis",
        "What the market did, month by month: volume, prices, and price indices by characteristics and by resales.",
    ),
    get=Operation("get_analysis", "A market analysis' progress", "How an analysis goes."),
    results=Operation(
        "get_analysis_results",
        "The results of a market analysis",
        "The months of all sales together and of each group, the groups compared, and factors to a valuation date.\n\n"
        "Results of more than 4 MB are a 303 to their address, which holds for 15 minutes.",
    ),
)


@api.get(MARKET_ANALYSIS.path + "/download", permission=MARKET_ANALYSIS.view, summary="Take a file of it", status=303)
def download_analysis(
    county_id: str,
    analysis_id: UUID,
    file_format: Annotated[DownloadFormat, Query(alias="format")] = "json",
) -> Response[Any]:
    """Redirect (303) to an address that holds for 15 minutes: the results as JSON, or a row a group and month."""
    return see_other(download.file_address(county_id, analysis_id, file_format))
