"""The jobs machine's task that trains models, and fits those of comparable sales."""

from functions.valuation.repository.comparables_models import KIND as COMPARABLES_KIND
from functions.valuation.repository.models import KIND
from functions.valuation.service.comparables_models import fit_model
from functions.valuation.service.training import train_model
from shared.jobs import job_task

handler = job_task({KIND: train_model, COMPARABLES_KIND: fit_model})
