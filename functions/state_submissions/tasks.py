"""The jobs machine's task of submissions to a state."""

from functions.state_submissions.job_kinds import STATE_SUBMISSION
from functions.state_submissions.service import build
from shared.jobs import job_task

handler = job_task({STATE_SUBMISSION: build.submit})
