"""Partition: read one key range, archive it, map it, compare it with the target, and stage what differs. Idempotent."""

import hashlib
import time
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from functions.sync.domain.partitions import PartitionState
from functions.sync.engine.earlier_versions import stage_earlier_versions
from functions.sync.engine.partition_claim import claim
from functions.sync.engine.run_context import RunContext, load
from functions.sync.engine.run_log import log_state
from functions.sync.object_keys import raw_key, target_keys_key
from functions.sync.parquet_objects import put_frame
from functions.sync.repository import partitions, quarantine, staging, targets, uploaded_rows, warnings
from shared import metrics
from shared.db import unit_of_work
from shared.mapping.compile.tables import CompiledTable, MappedRows, mapping_digest
from shared.problems import Conflict, NotFound, Problem, ServiceUnavailable
from shared.sources import Extract, KeyRange, TableSchema
from shared.sources.text_values import remove_nuls
from shared.storage import RAW_ARCHIVE


def process_partition(county_id: str, run_id: UUID, table: str, number: int) -> PartitionState:
    """Process a partition, with its metrics and its log line; an error is kept with its key range.

    Raises as `read_partition`.
    """
    try:
        done, seconds = read_partition(county_id, run_id, table, number)
    except ServiceUnavailable:
        raise
    except Exception as error:
        _keep_error(county_id, run_id, table, number, error)
        raise
    _record_metrics(done, county_id, seconds)
    log_state(
        "partition done",
        county_id,
        run_id,
        table=table,
        partition=number,
        seconds=round(seconds, 3),
        rows_per_second=round((done.rows_read or 0) / seconds) if seconds else None,
        **done.figures,
    )
    return done


def read_partition(county_id: str, run_id: UUID, table: str, number: int) -> tuple[PartitionState, float]:
    """Process a partition; its state, and the seconds that took. All of its effects are committed, or none.

    Raises NotFound, Conflict for a run that has ended, SourceUnavailable.
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
    if context.run.rolls_back is not None:
        return stage_earlier_versions(context, partition, started), time.monotonic() - started
    extract = _extract(context, partition)
    digest = _digest(context, table, extract)
    if base is not None and base.digest == digest:
        done = _unchanged(partition, base)
        with unit_of_work(county_id) as connection:
            if claim(connection, context, partition):
                partitions.finish(connection, county_id, done, time.monotonic() - started)
        return done, time.monotonic() - started
    return _stage(context, partition, extract, digest, started), time.monotonic() - started


def _keep_error(county_id: str, run_id: UUID, table: str, number: int, error: Exception) -> None:
    """Record why a partition failed; a Conflict says that the run has ended, so there is no one to record it for."""
    if isinstance(error, Conflict):
        return
    message = error.detail if isinstance(error, Problem) else type(error).__name__
    with unit_of_work(county_id) as connection:
        partition = partitions.find(connection, county_id, run_id, table, number)
        if partition is not None:
            partitions.set_error(connection, county_id, run_id, table, number, f"{partition.name}: {message}")


def _record_metrics(done: PartitionState, county_id: str, seconds: float) -> None:
    metrics.record(
        "sync",
        {
            "RowsRead": ("Count", float(done.rows_read or 0)),
            "RowsRejected": ("Count", float(done.rows_rejected or 0)),
            "RowsStaged": ("Count", float(done.rows_staged or 0)),
            "PartitionSeconds": ("Seconds", seconds),
        },
        properties={"county_id": county_id, "run_id": str(done.run_id), "table": done.table_name},
    )


def _digest(context: RunContext, table: str, extract: Extract) -> str:
    """Digest of a partition's inputs: its rows, the mapping with its lookups, the time zone, and the numeric
    columns.
    """
    mapping = mapping_digest(context.mapping, table, context.lookups(table))
    inputs = [mapping, context.configuration.timezone, *sorted(context.numbers(table)), extract.digest]
    return hashlib.sha256(":".join(inputs).encode()).hexdigest()


def _extract(context: RunContext, partition: PartitionState) -> Extract:
    table = partition.table_name
    rows = context.rows(table)
    try:
        keys = KeyRange(partition.lower_key, partition.upper_key)
        return rows.read(context.source_table(table), TableSchema(context.run.plan[table].columns), keys)
    finally:
        rows.close()


def _unchanged(partition: PartitionState, base: PartitionState) -> PartitionState:
    carried_fields = {"digest", "rows_read", "rows_good", "rows_rejected", "raw_key", "read_run", "read_no"}
    carried = base.model_dump(include=carried_fields)
    return partition.model_copy(update={**carried, "rows_staged": 0, "unchanged": True, "status": "done"})


def _stage(
    context: RunContext, partition: PartitionState, extract: Extract, digest: str, started: float
) -> PartitionState:
    table, number = partition.table_name, partition.partition_no
    raw = raw_key(context.county_id, context.run_id, table, number)
    frame = remove_nuls(extract.frame())
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
        if not claim(connection, context, partition):
            return partitions.find(connection, context.county_id, context.run_id, table, number) or done
        stage = _stage_differing if context.run.upload_id is None else _stage_upload
        staged = stage(connection, context, compiled, table, number, mapped)
        _quarantine(connection, context, partition, mapped)
        done = done.model_copy(update={"rows_staged": staged})
        partitions.finish(connection, context.county_id, done, time.monotonic() - started)
    return done


def _stage_upload(
    connection: Connection, context: RunContext, compiled: CompiledTable, table: str, number: int, mapped: MappedRows
) -> int:
    """Stage the valid rows of an upload that differ from the target by value; the number of rows staged."""
    actions = _actions(connection, context, compiled, table, number, mapped).with_columns(
        pl.col("action").fill_null("U")
    )
    rows = pl.concat([actions, compiled.to_copy_texts(mapped.good)], how="horizontal")
    staging.load(connection, context.run_id, table, rows)
    columns = context.columns(table)
    return uploaded_rows.keep_differing(connection, context.county_id, context.run_id, table, columns, number)


def _actions(
    connection: Connection, context: RunContext, compiled: CompiledTable, table: str, number: int, mapped: MappedRows
) -> pl.DataFrame:
    """The action of each valid row (NULL for one whose source says what it said last), with the version that was
    compared.
    """
    good = mapped.good
    current = targets.current_rows(connection, context.county_id, table, good.get_column(compiled.key))
    compared = good.select(pl.col(compiled.key).alias("key"), pl.col("row_hash").alias("new_hash")).join(
        current, on="key", how="left", maintain_order="left"
    )
    action = (
        pl.when(pl.col("version").is_null())
        .then(pl.lit("A"))
        .when(pl.col("retired") == "t")
        .then(pl.lit("R"))
        .when(pl.col("row_hash") != pl.col("new_hash"))
        .then(pl.lit("U"))
    )
    return compared.select(
        pl.lit(number).alias("partition_no"), action.alias("action"), pl.col("version").alias("base_version")
    )


def _stage_differing(
    connection: Connection, context: RunContext, compiled: CompiledTable, table: str, number: int, mapped: MappedRows
) -> int:
    """Stage the valid rows that differ from the target, as texts with their action; the number of rows staged.

    Rows are compared by the hash of what the source said last; a snapshot compares the values of the others too.
    """
    good = mapped.good
    actions = _actions(connection, context, compiled, table, number, mapped)
    differs = actions.get_column("action").is_not_null()
    differing = pl.concat([actions.filter(differs), compiled.to_copy_texts(good.filter(differs))], how="horizontal")
    staging.load(connection, context.run_id, table, differing)
    if context.run.mode != "snapshot" or differs.all():
        return differing.height
    same = actions.filter(~differs).with_columns(pl.lit("U").alias("action"))
    rows = pl.concat([same, compiled.to_copy_texts(good.filter(~differs))], how="horizontal")
    columns = context.columns(table)
    keys = targets.differing_keys(connection, context.county_id, context.run_id, table, columns, rows)
    repaired = rows.filter(pl.col(compiled.key).is_in(keys))
    staging.load(connection, context.run_id, table, repaired)
    return differing.height + repaired.height


def _quarantine(connection: Connection, context: RunContext, partition: PartitionState, mapped: MappedRows) -> None:
    rejects = [
        quarantine.FlaggedRow(*row)
        for row in mapped.rejected.select("source_key", "target_key", "source_row", "reasons").iter_rows()
    ]
    reading = quarantine.ReadingPartition(context.run_id, partition.partition_no)
    quarantine.add(connection, context.county_id, context.run_id, partition.table_name, reading, rejects)
    warned = [
        quarantine.FlaggedRow(*row)
        for row in mapped.warned.select("source_key", "target_key", "source_row", "reasons").iter_rows()
    ]
    number = partition.partition_no
    warnings.add(connection, context.county_id, context.run_id, partition.table_name, number, warned)
    if context.run.replay_of is not None:
        quarantine.inherit_reading_partitions(
            connection, context.county_id, context.run_id, partition.table_name, context.run.replay_of
        )
