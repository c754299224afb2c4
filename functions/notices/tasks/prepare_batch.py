"""The first step of batches in the jobs machine: notices are written down, and cut into files."""

from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.service.prepare_batch import prepare_batch
from shared.jobs.partitioned import plan_task

handler = plan_task(NOTICE_BATCH, prepare_batch)
