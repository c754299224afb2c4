"""The jobs machine's task of market analyses."""

from functions.market_analysis.job_kinds import MARKET_ANALYSIS
from functions.market_analysis.service import analysis
from shared.jobs import job_task

handler = job_task({MARKET_ANALYSIS: analysis.run})
