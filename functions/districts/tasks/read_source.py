"""The first step of loads in the jobs machine: the source is read."""

from functions.districts.job_kinds import DISTRICT_LOAD
from functions.districts.service.read_source import read_source
from shared.jobs.partitioned import plan_task

handler = plan_task(DISTRICT_LOAD, read_source)
