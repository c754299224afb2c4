"""Stored keys of unchanged partitions, read from the source again where their objects are lost or damaged."""

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


def read_keys_with_recovery(
    context: RunContext, table: str, table_partitions: Sequence[PartitionState]
) -> tuple[Sequence[PartitionState], pl.DataFrame]:
    """The partitions, and every key that the run has read (as `read_keys`).

    The keys of an unchanged partition were stored by the run that read it. Where they cannot be loaded, the partition
    is read again. Raises as `read_partition`.
    """
    try:
        return table_partitions, read_keys(table_partitions)
    except (NotFound, pl.exceptions.PolarsError):
        lost = [partition for partition in table_partitions if partition.unchanged and not _is_readable(partition)]
        if not lost:
            raise
    extra = {"county_id": context.county_id, "run_id": str(context.run_id), "table": table, "partitions": len(lost)}
    _logger.warning("stored keys are lost; their partitions are read again", extra=extra)
    whole_run = context.run.plan[table].whole_run
    for partition in lost:
        with unit_of_work(context.county_id) as connection:
            if whole_run is not None:
                partitions.clear_digest_of_same_range(connection, context.county_id, whole_run, partition)
            partitions.set_pending(connection, context.county_id, partition)
        read_partition(context.county_id, context.run_id, table, partition.partition_no)
    with unit_of_work(context.county_id) as connection:
        reread = partitions.of_run(connection, context.county_id, context.run_id, table)
    return reread, read_keys(reread)


def _is_readable(partition: PartitionState) -> bool:
    try:
        read_keys([partition])
    except (NotFound, pl.exceptions.PolarsError):
        return False
    return True
