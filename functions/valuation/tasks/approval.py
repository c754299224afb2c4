"""The jobs machine's task that brings values to a roll, and takes them back."""

from functions.valuation.repository.approvals import KIND
from functions.valuation.service.approvals import approve_or_undo
from shared.jobs import job_task

handler = job_task({KIND: approve_or_undo})
