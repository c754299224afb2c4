"""What earlier runs kept of partitions that have not changed since, read anew where it was lost or damaged."""

from collections.abc import Sequence

import polars as pl
from aws_lambda_powertools import Logger

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.partition import read_partition
from functions.sync.engine.removed_rows import read_keys
from functions.sync.engine.run_context import RunContext
from functions.sync.repository import partitions
from shared.db import unit_of_work
from shared.problems import NotFound

_logger = Logger(service="sync")


def read_again_where_lost(
    context: RunContext, table: str, of_table: Sequence[PartitionState]
) -> tuple[Sequence[PartitionState], pl.DataFrame]:
    """The partitions, and every key that the run has read (`read_keys`).

    A partition whose rows are unchanged has the keys of the run that read them. Where these cannot be read any more,
    the partition is read again. Raises as reading a partition does.
    """
    try:
        return of_table, read_keys(of_table)
    except (NotFound, pl.exceptions.PolarsError):
        lost = [one for one in of_table if one.unchanged and not _is_readable(one)]
        if not lost:
            raise
    extra = {"county_id": context.county_id, "run_id": str(context.run_id), "table": table, "partitions": len(lost)}
    _logger.warning("kept keys are lost, their partitions are read again", extra=extra)
    whole_run = context.run.plan[table].whole_run
    for partition in lost:
        with unit_of_work(context.county_id) as connection:
            if whole_run is not None:
                partitions.forget_digest(connection, context.county_id, whole_run, partition)
            partitions.set_pending(connection, context.county_id, partition)
        read_partition(context.county_id, context.run_id, table, partition.partition_no)
    with unit_of_work(context.county_id) as connection:
        found = partitions.of_run(connection, context.county_id, context.run_id, table)
    return found, read_keys(found)


def _is_readable(partition: PartitionState) -> bool:
    try:
        read_keys([partition])
    except (NotFound, pl.exceptions.PolarsError):
        return False
    return True
