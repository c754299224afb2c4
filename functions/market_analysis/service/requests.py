"""The rules of asking for a market analysis, and of looking at it."""

from uuid import UUID

from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared import jobs
from shared.access import Caller
from shared.jobs import Job

KIND = "market_analysis"


def submit(county_id: str, request: MarketAnalysisRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start an analysis."""
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, analysis_id: UUID) -> Job:
    """An analysis's job. Raises NotFound."""
    return jobs.get(county_id, KIND, analysis_id)


def results(county_id: str, analysis_id: UUID) -> MarketAnalysisResults:
    """What an analysis found. Raises NotFound, and Conflict while it has not succeeded."""
    return jobs.results_as(MarketAnalysisResults, county_id, KIND, analysis_id)
