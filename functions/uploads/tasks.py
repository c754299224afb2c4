"""The jobs machine's task of uploads."""

from functions.uploads.job_kinds import INSPECTION
from functions.uploads.service import inspection
from shared.jobs import job_task

handler = job_task({INSPECTION: inspection.inspect})
