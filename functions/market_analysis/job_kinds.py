"""The kind of job of market analyses."""

from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared.access import Permission
from shared.jobs import JobKind

MARKET_ANALYSIS = JobKind(
    "market_analysis",
    collection="market-analyses",
    id_parameter="analysis_id",
    request=MarketAnalysisRequest,
    results=MarketAnalysisResults,
    run=Permission.RUN_MARKET_ANALYSIS,
    view=Permission.VIEW_MARKET_ANALYSIS,
    linked=("results", "download"),
    repeatable=True,
)
