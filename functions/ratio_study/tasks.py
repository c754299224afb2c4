"""The jobs machine's task of ratio studies."""

from functions.ratio_study.job_kinds import RATIO_STUDY
from functions.ratio_study.service import study
from shared.jobs import job_task

handler = job_task({RATIO_STUDY: study.run})
