"""The jobs machine's task of market analyses."""

from functions.market_analysis import repository
from functions.market_analysis.domain.analysis import analyse
from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from functions.market_analysis.service.requests import KIND
from shared.jobs import RunningJob, job_task


def run(job: RunningJob) -> MarketAnalysisResults:
    """Read the county's sales and follow the market through them."""
    request = MarketAnalysisRequest.model_validate(job.parameters)
    evidence, excluded = repository.read(job.county_id)
    return analyse(request, evidence, excluded, job.progress)


handler = job_task({KIND: run})
