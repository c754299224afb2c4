"""The jobs machine's task of market analyses."""

from functions.market_analysis.service import analysis
from functions.market_analysis.service.requests import KIND
from shared.jobs import job_task

handler = job_task({KIND: analysis.run})
