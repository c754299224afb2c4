"""The jobs machine's task of write-backs."""

from functions.write_back.job_kinds import WRITE_BACK
from functions.write_back.service import build
from shared.jobs import job_task

handler = job_task({WRITE_BACK: build.write_back})
