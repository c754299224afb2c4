"""The last step of valuation runs in the jobs machine."""

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.service.summarize_run import finish_run
from shared.jobs.partitioned import finish_task

handler = finish_task(VALUATION_RUN, finish_run)
