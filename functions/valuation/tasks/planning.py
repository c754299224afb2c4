"""The first step of valuation runs in the jobs machine."""

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.service.plan_run import plan_run
from shared.jobs.partitioned import plan_task

handler = plan_task(VALUATION_RUN, plan_run)
