"""Source rows of staged rows, for quarantine and warnings of rules that see more than one row."""

from collections.abc import Iterator, Mapping, Sequence

import orjson
import polars as pl

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.parquet_objects import get_frame
from functions.sync.repository.quarantine import FlaggedRow
from functions.sync.repository.validation import StagedKey

_TARGET = "\x1dtarget"


def source_rows_of(
    context: RunContext,
    table: str,
    table_partitions: Sequence[PartitionState],
    staged: Sequence[StagedKey],
    reason: Mapping[str, str],
) -> Iterator[tuple[int, list[FlaggedRow]]]:
    """The source rows from which staged ones were mapped, with the reason, by number of the partition."""
    compiled = context.compiled(table)
    raw_keys = {partition.partition_no: partition.raw_key for partition in table_partitions}
    for number in sorted({number for _, number in staged}):
        keys = [key for key, partition_no in staged if partition_no == number]
        frame = get_frame(raw_keys[number] or "")
        matching = frame.with_columns(compiled.good_keys(frame).alias(_TARGET)).filter(pl.col(_TARGET).is_in(keys))
        # of several valid rows with one key a partition stages the first
        rows = matching.unique(_TARGET, keep="first", maintain_order=True).select(
            pl.concat_str(compiled.table.primary_key_source_fields, separator="/", ignore_nulls=True),
            pl.col(_TARGET),
            pl.struct(frame.columns).struct.json_encode().alias("row"),
            pl.lit(orjson.dumps([reason]).decode()).alias("reasons"),
        )
        yield number, [FlaggedRow(*row) for row in rows.iter_rows()]
