"""One partition: read, keep, map, compare, stage. Run twice, it leaves the same as once."""

import hashlib
import time
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.run_context import RunContext, load, require_going
from functions.sync.object_keys import raw_key, target_keys_key
from functions.sync.parquet_objects import put_frame
from functions.sync.repository import partitions, quarantine, runs, staging, targets, warnings
from functions.sync.run_data import filled_columns
from functions.sync.sources import Extract, KeyRange, Shape
from functions.sync.sources.texts import without_nuls
from shared.db import unit_of_work
from shared.mapping.compile.tables import CompiledTable, MappedRows, mapping_digest
from shared.problems import Conflict, NotFound
from shared.storage import RAW_ARCHIVE


def read_partition(county_id: str, run_id: UUID, table: str, number: int) -> tuple[PartitionState, float]:
    """Do a partition; what became of it, and the seconds it took.

    Raises NotFound, Conflict for a run that is over, SourceUnavailable. What it did is there whole or not at all.
    """
    started = time.monotonic()
    context = load(county_id, run_id)
    with unit_of_work(county_id) as connection:
        partition = partitions.find(connection, county_id, run_id, table, number)
        plan = context.run.plan[table]
        base = (
            partitions.find_same_range(connection, county_id, plan.whole_run, partition)
            if partition and plan.whole_run and plan.digests_hold
            else None
        )
    if partition is None:
        raise NotFound(f"Run {run_id} has no partition {number} of {table}.")
    if partition.status == "done":
        return partition, 0.0
    extract = _extract(context, partition)
    digest = _digest(context, table, extract)
    if base is not None and base.digest == digest:
        done = _unchanged(partition, base)
        with unit_of_work(county_id) as connection:
            if _claim(connection, context, partition):
                partitions.finish(connection, county_id, done, time.monotonic() - started)
        return done, time.monotonic() - started
    return _stage(context, partition, extract, digest, started), time.monotonic() - started


def _digest(context: RunContext, table: str, extract: Extract) -> str:
    """All that decides what becomes of a partition: its rows, how they are mapped, and what their types say."""
    mapping = mapping_digest(context.mapping, table, context.lookups(table))
    told = [mapping, context.configuration.timezone, *sorted(context.numbers(table)), extract.digest]
    return hashlib.sha256(":".join(told).encode()).hexdigest()


def _extract(context: RunContext, partition: PartitionState) -> Extract:
    table = partition.table_name
    rows = context.rows(table)
    try:
        keys = KeyRange(partition.lower_key, partition.upper_key)
        return rows.read(context.source_table(table), Shape(context.run.plan[table].columns), keys)
    finally:
        rows.close()


def _unchanged(partition: PartitionState, base: PartitionState) -> PartitionState:
    kept = {"digest", "rows_read", "rows_good", "rows_rejected", "raw_key", "read_run", "read_no"}
    carried = base.model_dump(include=kept)
    return partition.model_copy(update={**carried, "rows_staged": 0, "unchanged": True, "status": "done"})


def _stage(
    context: RunContext, partition: PartitionState, extract: Extract, digest: str, started: float
) -> PartitionState:
    table, number = partition.table_name, partition.partition_no
    raw = raw_key(context.county_id, context.run_id, table, number)
    frame = without_nuls(extract.frame())
    put_frame(raw, frame, tag=RAW_ARCHIVE)
    compiled = context.compiled(table)
    mapped = compiled.apply(frame)
    del frame
    put_frame(target_keys_key(raw), mapped.keys.alias("key").to_frame())
    done = partition.model_copy(
        update={
            "status": "done",
            "digest": digest,
            "unchanged": False,
            "rows_read": extract.rows,
            "rows_good": mapped.good.height,
            "rows_rejected": mapped.rejected.height,
            "raw_key": raw,
            "read_run": context.run_id,
            "read_no": number,
        }
    )
    with unit_of_work(context.county_id) as connection:
        if not _claim(connection, context, partition):
            return partitions.find(connection, context.county_id, context.run_id, table, number) or done
        staged = _stage_differing(connection, context, compiled, table, number, mapped)
        _quarantine(connection, context, partition, mapped)
        done = done.model_copy(update={"rows_staged": staged})
        partitions.finish(connection, context.county_id, done, time.monotonic() - started)
    return done


def _claim(connection: Connection, context: RunContext, partition: PartitionState) -> bool:
    """Hold the partition until the transaction ends; False where another try of it has finished meanwhile.

    Raises Conflict for a run that has ended, or that was planned anew since the partition was read.
    """
    run = runs.find(connection, context.county_id, context.run_id)
    if run is not None:
        require_going(run)
        if run.planned_at != context.run.planned_at:
            raise Conflict(f"Sync run {run.run_id} was planned anew meanwhile.", slug="sync-run-planned-anew")
    held = partitions.find(
        connection,
        context.county_id,
        context.run_id,
        partition.table_name,
        partition.partition_no,
        for_update=True,
    )
    return held is not None and held.status == "pending"


def _stage_differing(
    connection: Connection, context: RunContext, compiled: CompiledTable, table: str, number: int, mapped: MappedRows
) -> int:
    """Stage the good rows that the target does not have as they are, as texts, with what is to be done; how many.

    A row of which the source says what it said before is passed over, but for a snapshot, which compares the values.
    """
    good = mapped.good
    state = targets.state_of(connection, context.county_id, table, good.get_column(compiled.key))
    compared = good.select(pl.col(compiled.key).alias("key"), pl.col("row_hash").alias("new_hash")).join(
        state, on="key", how="left", maintain_order="left"
    )
    action = (
        pl.when(pl.col("version").is_null())
        .then(pl.lit("A"))
        .when(pl.col("retired") == "t")
        .then(pl.lit("R"))
        .when(pl.col("row_hash") != pl.col("new_hash"))
        .then(pl.lit("U"))
    )
    decided = compared.select(
        pl.lit(number).alias("partition_no"), action.alias("action"), pl.col("version").alias("base_version")
    )
    differs = decided.get_column("action").is_not_null()
    differing = pl.concat([decided.filter(differs), compiled.to_copy_texts(good.filter(differs))], how="horizontal")
    staging.fill(connection, context.run_id, table, differing)
    if context.run.mode != "snapshot" or differs.all():
        return differing.height
    same = decided.filter(~differs).with_columns(pl.lit("U").alias("action"))
    rows = pl.concat([same, compiled.to_copy_texts(good.filter(~differs))], how="horizontal")
    columns = filled_columns(context.mapping, table)
    keys = targets.differing_keys(connection, context.county_id, context.run_id, table, columns, rows)
    mended = rows.filter(pl.col(compiled.key).is_in(keys))
    staging.fill(connection, context.run_id, table, mended)
    return differing.height + mended.height


def _quarantine(connection: Connection, context: RunContext, partition: PartitionState, mapped: MappedRows) -> None:
    rejects = [
        quarantine.Reject(*row)
        for row in mapped.rejected.select("source_key", "target_key", "source_row", "reasons").iter_rows()
    ]
    reader = quarantine.Reader(context.run_id, partition.partition_no)
    quarantine.add(connection, context.county_id, context.run_id, partition.table_name, reader, rejects)
    warned = [
        quarantine.Reject(*row)
        for row in mapped.warned.select("source_key", "target_key", "source_row", "reasons").iter_rows()
    ]
    number = partition.partition_no
    warnings.add(connection, context.county_id, context.run_id, partition.table_name, number, warned)
    if context.run.replay_of is not None:
        quarantine.keep_readers(
            connection, context.county_id, context.run_id, partition.table_name, context.run.replay_of
        )
