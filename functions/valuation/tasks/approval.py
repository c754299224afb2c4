"""The jobs machine's task that brings values to a roll, and takes them back."""

from functions.valuation.job_kinds import VALUATION_APPROVAL
from functions.valuation.service.approvals import approve_or_undo
from shared.jobs import job_task

handler = job_task({VALUATION_APPROVAL: approve_or_undo})
