"""The second step of batches in the jobs machine: the letters of a file are typeset."""

from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.schemas import LetterFilePart
from functions.notices.service.typeset_file import typeset_file
from shared.jobs.partitioned import partition_task

handler = partition_task(NOTICE_BATCH, LetterFilePart, typeset_file)
