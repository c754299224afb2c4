"""The last step of batches in the jobs machine: their notices are sent ones from here on."""

from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.service.send_batch import send_batch
from shared.jobs.partitioned import finish_task

handler = finish_task(NOTICE_BATCH, send_batch)
