"""The jobs machine's task of ratio studies."""

from functions.ratio_study.service import study
from functions.ratio_study.service.requests import KIND
from shared.jobs import job_task

handler = job_task({KIND: study.run})
