"""The last step of loads in the jobs machine: the features are stored as a version of the layer."""

from functions.districts.job_kinds import DISTRICT_LOAD
from functions.districts.service.make_version import make_version
from shared.jobs.partitioned import finish_task

handler = finish_task(DISTRICT_LOAD, make_version)
