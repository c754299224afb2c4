"""Cutting a table's rows into partitions."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from functions.sync.schemas import Key, PartitionState

PARTITION_ROWS = 50_000
"""Rows of a partition: near 350 MB of memory while it is worked on."""
LARGEST_PARTITION = 1.5
"""How far a partition may outgrow that before its table is cut anew."""

Bounds = list[tuple[Key | None, Key | None]]


def bounds_between(ends: Sequence[Key]) -> Bounds:
    """The ranges that these keys end; the last one is open."""
    edges: list[Key | None] = [None, *ends, None]
    return list(pairwise(edges))


def reusable_bounds(before: Sequence[PartitionState], rows: int) -> Bounds | None:
    """The ranges of an earlier run, where none of them can have outgrown a partition since; else None.

    `rows` is how many there are now. Ranges that stay as they are let digests be compared.
    """
    known = [partition.rows_read for partition in before]
    sizes = [size for size in known if size is not None]
    if not sizes or len(sizes) < len(known):
        return None
    growth = max(0, rows - sum(sizes))
    if max(sizes) + growth > LARGEST_PARTITION * PARTITION_ROWS:
        return None
    return [(partition.lower_key, partition.upper_key) for partition in before]


def partitions_of(run_id: UUID, table: str, bounds: Bounds) -> list[PartitionState]:
    """The partitions of these ranges."""
    return [
        PartitionState(
            run_id=run_id,
            table_name=table,
            partition_no=number,
            lower_key=lower,
            upper_key=upper,
            status="pending",
        )
        for number, (lower, upper) in enumerate(bounds, start=1)
    ]
