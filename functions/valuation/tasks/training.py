"""The jobs machine's task that trains models."""

from functions.valuation.repository.models import KIND
from functions.valuation.service.training import train_model
from shared.jobs import job_task

handler = job_task({KIND: train_model})
