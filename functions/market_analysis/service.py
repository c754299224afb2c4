"""The rules of asking for a market analysis, and of looking at it."""

from uuid import UUID

from functions.market_analysis.files import CONTENT_TYPES, rendered
from functions.market_analysis.schemas import DownloadFormat, MarketAnalysisRequest, MarketAnalysisResults
from shared import jobs, storage
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
    return MarketAnalysisResults.model_validate(jobs.results(county_id, KIND, analysis_id))


def file_address(county_id: str, analysis_id: UUID, wanted: DownloadFormat) -> str:
    """Where an analysis' results can be taken from as a file, for 15 minutes.

    The file is made from the results when it is asked for: the same each time. Raises as `results` does.
    """
    found = results(county_id, analysis_id)
    filename = f"{county_id}-market-analysis-{found.sale_from}-{found.sale_to}.{wanted}"
    key = storage.county_key(county_id, "jobs", str(analysis_id), filename)
    storage.put(key, rendered(found, wanted), CONTENT_TYPES[wanted])
    return storage.signed_url(key, filename, CONTENT_TYPES[wanted])
