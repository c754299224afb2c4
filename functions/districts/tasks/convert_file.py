"""The second step of loads in the jobs machine: a geographic file is converted."""

from functions.districts.job_kinds import DISTRICT_LOAD
from functions.districts.schemas import LoadPart
from functions.districts.service.convert_file import convert_file
from shared.jobs.partitioned import partition_task

handler = partition_task(DISTRICT_LOAD, LoadPart, convert_file)
