"""Key ranges by which a table's rows are cut into partitions."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from functions.sync.domain.partitions import PartitionState
from shared.contracts.source_rows import Key

PARTITION_ROWS = 50_000
"""Rows of a partition: near 350 MB of memory while one is read, mapped and staged, so that the 1,769 MB (one vCPU) of
the Partition task also bear rows that are several times as wide."""
MAX_PARTITION_GROWTH = 1.5
"""Factor by which a partition may outgrow PARTITION_ROWS before its table is cut anew. A choice: up to there it still
fits the task's memory, and the ranges stay, so that digests can be compared."""

KeyRanges = list[tuple[Key | None, Key | None]]


def ranges_ending_at(ends: Sequence[Key]) -> KeyRanges:
    """The ranges between these keys; the first and the last are open."""
    edges: list[Key | None] = [None, *ends, None]
    return list(pairwise(edges))


def reusable_ranges(earlier: Sequence[PartitionState], rows: int) -> KeyRanges | None:
    """The ranges of an earlier run, where none of them can have outgrown a partition since; else None.

    `rows` is how many there are now. Ranges that stay as they are let digests be compared.
    """
    sizes = [partition.rows_read for partition in earlier if partition.rows_read is not None]
    if not sizes or len(sizes) < len(earlier):
        return None
    growth = max(0, rows - sum(sizes))
    if max(sizes) + growth > MAX_PARTITION_GROWTH * PARTITION_ROWS:
        return None
    return [(partition.lower_key, partition.upper_key) for partition in earlier]


def new_partitions(run_id: UUID, table: str, ranges: KeyRanges) -> list[PartitionState]:
    """Pending partitions of these ranges, numbered from 1."""
    return [
        PartitionState(
            run_id=run_id,
            table_name=table,
            partition_no=number,
            lower_key=lower,
            upper_key=upper,
            status="pending",
        )
        for number, (lower, upper) in enumerate(ranges, start=1)
    ]
