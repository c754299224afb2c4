"""The market analysis of a county as a job runs it."""

from functions.market_analysis import repository
from functions.market_analysis.domain.analysis import analyze
from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared.db import unit_of_work
from shared.jobs import RunningJob


def run(job: RunningJob) -> MarketAnalysisResults:
    """Read the county's sales and analyze the market in them."""
    request = MarketAnalysisRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        evidence, excluded = repository.market_sales(connection, job.county_id)
    return analyze(request, evidence, excluded, job.progress)
