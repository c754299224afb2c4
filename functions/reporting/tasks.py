"""The jobs machine's task of reports and of their approval."""

from functions.reporting.job_kinds import REPORT, REPORT_APPROVAL
from functions.reporting.service import build_report, sign_report
from shared.jobs import job_task

handler = job_task({REPORT: build_report.run, REPORT_APPROVAL: sign_report.run})
