"""The claim of a partition: one attempt at a time."""

from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext, require_running
from functions.sync.repository import partitions, runs
from shared.problems import Conflict


def claim(connection: Connection, context: RunContext, partition: PartitionState) -> bool:
    """Lock the partition until the transaction ends; False where another attempt at it has finished meanwhile.

    Raises Conflict for a run that has ended, or that was planned anew since the partition was read.
    """
    run = runs.find(connection, context.county_id, context.run_id)
    if run is not None:
        require_running(run)
        if run.planned_at != context.run.planned_at:
            raise Conflict(f"Sync run {run.run_id} was planned anew meanwhile.", slug="sync-run-planned-anew")
    locked = partitions.find(
        connection,
        context.county_id,
        context.run_id,
        partition.table_name,
        partition.partition_no,
        for_update=True,
    )
    return locked is not None and locked.status == "pending"
