"""Removed rows: keys of a target that the source no longer has.

They follow from the keys of all rows read, rejected ones included: a row that is rejected keeps its last valid version,
and only a key that is gone is retired.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext
from functions.sync.object_keys import deleted_rows_key, target_keys_key
from functions.sync.parquet_objects import get_frame
from shared.mapping.compile.tables import CompiledTable, compile_table
from shared.sources.text_values import remove_nuls

CHANGED_ONLY = ("watermark", "change_tracking")
"""Ways of reading that give the changed rows alone."""

_KEYS_BATCH_SIZE = 250_000
"""Keys joined or grouped at a time, so that memory has a bound whatever the size of the county. A choice, of the
order of tens of megabytes."""


def removed_keys(context: RunContext, table: str, live: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """The rows of `live` (key, version) that are to be retired; `read` has the keys that the run has read.

    A way of reading that does not show removed rows retires none. Raises SourceUnavailable.
    """
    match context.run.plan[table].read_by:
        case "whole":
            return _missing_from(live, read)
        case "watermark" if context.configuration.data_ingestion_settings.incremental.removals == "compare_keys":
            return _missing_from(live, _source_keys(context, table))
        case "change_tracking":
            # a row that was deleted and inserted again is among those read
            deleted = deleted_keys(context, table).join(read, on="key", how="anti")
            return live.join(deleted, on="key", how="semi")
        case _:
            return live.clear()


def read_keys(table_partitions: Sequence[PartitionState]) -> pl.DataFrame:
    """Every target key that the run has read, with the partition that has it (`key`, `partition_no`)."""
    frames = [
        get_frame(target_keys_key(partition.raw_key)).with_columns(partition_no=pl.lit(partition.partition_no))
        for partition in table_partitions
        if partition.raw_key
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"key": pl.String, "partition_no": pl.Int32})


def repeated_keys(read: pl.DataFrame) -> pl.DataFrame:
    """The keys that an earlier partition has too (`key`, `partition_no`)."""
    first = pl.col("partition_no").min().over("key")
    return pl.concat(part.filter(pl.col("partition_no") > first) for (part,) in _in_parts(read))


def resolved_quarantine_keys(
    context: RunContext, table: str, table_partitions: Sequence[PartitionState], open_keys: Sequence[str]
) -> list[str]:
    """Those of the keys open in quarantine that an incremental run has read, or found deleted."""
    if not open_keys or context.run.plan[table].read_by not in CHANGED_ONLY:
        return []
    seen = read_keys(table_partitions).select("key")
    if context.run.plan[table].read_by == "change_tracking":
        seen = pl.concat([seen, deleted_keys(context, table)])
    return pl.DataFrame({"key": open_keys}).join(seen, on="key", how="semi").get_column("key").to_list()


def deleted_keys(context: RunContext, table: str) -> pl.DataFrame:
    """The target keys that change tracking reports as deleted (one column, `key`)."""
    compiled = _compiled_key(context, table)
    deleted = get_frame(deleted_rows_key(context.county_id, context.run_id, table))
    return compiled.apply(deleted).keys.alias("key").to_frame()


def _source_keys(context: RunContext, table: str) -> pl.DataFrame:
    frames = list(_key_frames(context, table))
    return pl.concat(frames).unique() if frames else pl.DataFrame(schema={"key": pl.String})


def _key_frames(context: RunContext, table: str) -> Iterator[pl.DataFrame]:
    compiled = _compiled_key(context, table)
    source = context.source()
    try:
        for frame in source.keys(context.whole_table(table), sorted(compiled.table.source_fields)):
            yield compiled.apply(remove_nuls(frame)).keys.alias("key").to_frame()
    finally:
        source.close()


def _compiled_key(context: RunContext, table: str) -> CompiledTable:
    """The mapping of the key alone, since a deleted row has nothing else."""
    whole = context.mapping.table(table)
    key = next(field for field in whole.field_map if field.target == whole.key)
    only = {"field_map": (key,), "primary_key_source_fields": key.sources, "watermark_field": None, "validations": ()}
    mapping = context.mapping.model_copy(update={"table_mappings": (whole.model_copy(update=only),)})
    return compile_table(mapping, table, today=context.run.today, lookups=context.lookups(table))


def _missing_from(live: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(part.join(present, on="key", how="anti") for part, present in _in_parts(live, others))


def _in_parts(*frames: pl.DataFrame) -> Iterator[list[pl.DataFrame]]:
    """The frames partitioned alike by the hash of `key`, at most _KEYS_BATCH_SIZE rows a part on average."""
    parts = max(1, *(-(-frame.height // _KEYS_BATCH_SIZE) for frame in frames))
    for number in range(parts):
        yield [frame.filter(pl.col("key").hash() % parts == number) if parts > 1 else frame for frame in frames]
