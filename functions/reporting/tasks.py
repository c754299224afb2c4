"""The jobs machine's task of reports."""

from functions.reporting.service import build_report
from functions.reporting.service.requests import KIND
from shared.jobs import job_task

handler = job_task({KIND: build_report.run})
