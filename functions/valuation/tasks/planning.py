"""The first step of valuation runs in the jobs machine."""

from functions.valuation.repository.runs import KIND
from functions.valuation.service.plan_run import plan_run
from shared.jobs.partitioned import plan_task

handler = plan_task(KIND, plan_run)
