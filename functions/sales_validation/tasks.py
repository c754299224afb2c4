"""The jobs machine's task of sales validation."""

from functions.sales_validation.job_kinds import SALES_VALIDATION
from functions.sales_validation.service import validation
from shared.jobs import job_task

handler = job_task({SALES_VALIDATION: validation.run})
