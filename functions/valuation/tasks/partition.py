"""The partitions of valuation runs in the jobs machine."""

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.schemas.runs import RunPartition
from functions.valuation.service.partition import value_partition
from shared.jobs.partitioned import partition_task

handler = partition_task(VALUATION_RUN, RunPartition, value_partition)
