"""The partitions of valuation runs in the jobs machine."""

from functions.valuation.repository.runs import KIND
from functions.valuation.schemas.runs import RunPartition
from functions.valuation.service.partition import value_partition
from shared.jobs.partitioned import partition_task

handler = partition_task(KIND, RunPartition, value_partition)
