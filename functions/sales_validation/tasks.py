"""The jobs machine's task of sales validation."""

from functions.sales_validation.service import validation
from functions.sales_validation.service.requests import KIND
from shared.jobs import job_task

handler = job_task({KIND: validation.run})
