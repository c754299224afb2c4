"""Staged rows as the source gave them: what quarantine and warnings keep, whichever rule found them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson
import polars as pl

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.parquet_objects import get_frame
from functions.sync.repository.quarantine import Reject
from functions.sync.repository.validation import StagedKey

_TARGET = "\x1dtarget"


def rows_as_read(
    context: RunContext,
    table: str,
    of_table: Sequence[PartitionState],
    staged: Sequence[StagedKey],
    reason: Mapping[str, str],
) -> Iterator[tuple[int, list[Reject]]]:
    """The source's rows that the staged ones were mapped from, with the reason, partition by partition."""
    compiled = context.compiled(table)
    raw_keys = {partition.partition_no: partition.raw_key for partition in of_table}
    for number in sorted({number for _, number in staged}):
        keys = [key for key, of in staged if of == number]
        frame = get_frame(raw_keys[number] or "")
        found = frame.with_columns(compiled.good_keys(frame).alias(_TARGET)).filter(pl.col(_TARGET).is_in(keys))
        # of good rows with one key a partition stages the first
        rows = found.unique(_TARGET, keep="first", maintain_order=True).select(
            pl.concat_str(compiled.table.primary_key_source_fields, separator="/", ignore_nulls=True),
            pl.col(_TARGET),
            pl.struct(frame.columns).struct.json_encode().alias("row"),
            pl.lit(orjson.dumps([reason]).decode()).alias("reasons"),
        )
        yield number, [Reject(*row) for row in rows.iter_rows()]
