"""Market analyses as jobs: submitted, looked at, and their results."""

from uuid import UUID

from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared import jobs
from shared.access import Caller
from shared.jobs import Job
from shared.jobs.large_results import answerable_results

KIND = "market_analysis"


def submit(county_id: str, request: MarketAnalysisRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start an analysis."""
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, analysis_id: UUID) -> Job:
    """An analysis's job. Raises NotFound."""
    return jobs.get(county_id, KIND, analysis_id)


def results(county_id: str, analysis_id: UUID) -> MarketAnalysisResults:
    """The results of the analysis. Raises NotFound, Conflict before it has succeeded, and ResultsTooLargeError."""
    return answerable_results(MarketAnalysisResults, county_id, KIND, analysis_id)
