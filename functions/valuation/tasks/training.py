"""The jobs machine's task that trains models, and fits those of comparable sales."""

from functions.valuation.job_kinds import COMPARABLES_MODEL, VALUATION_MODEL
from functions.valuation.service.comparables_models import fit_model
from functions.valuation.service.training import train_model
from shared.jobs import job_task

handler = job_task({VALUATION_MODEL: train_model, COMPARABLES_MODEL: fit_model})
