"""The last step of valuation runs in the jobs machine."""

from functions.valuation.repository.runs import KIND
from functions.valuation.service.summarize_run import finish_run
from shared.jobs.partitioned import finish_task

handler = finish_task(KIND, finish_run)
