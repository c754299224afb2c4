"""The jobs machine's task of reports."""

from functions.reporting.job_kinds import REPORT
from functions.reporting.service import build_report
from shared.jobs import job_task

handler = job_task({REPORT: build_report.run})
