"""Plan: take the county's lock, decide how each table is read, and cut it into partitions."""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from sqlalchemy import Connection, func

from functions.sync.domain import partitioning
from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.engine.earlier_versions import plan_tables
from functions.sync.engine.read_strategy import EarlierReads, FullRead, PlannedTable, ReadStrategy
from functions.sync.engine.replay_source import QuarantineSource, plan_replay
from functions.sync.engine.run_log import log_state
from functions.sync.failure import fail_orphaned_active_run
from functions.sync.lookups import read_lookups, replayed_lookups, store_lookups
from functions.sync.object_keys import deleted_rows_key, mapping_key, partitions_key
from functions.sync.parquet_objects import put_frame
from functions.sync.repository import findings, partitions, quarantine, runs, staging, warnings, watermarks
from functions.sync.run_data import filled_columns, source_table
from functions.sync.run_lock import add_job, add_run, new_run
from functions.sync.schemas.runs import RejectedFilter, SyncRequest
from shared import storage
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.jobs import repository as jobs
from shared.jobs.schemas import JobError
from shared.mapping import CountyMapping, TableMapping, parse_mapping
from shared.problems import Conflict, NotFound, Unprocessable
from shared.sources import Ability, Source
from shared.sources.files.geographic.reader import FileNotConvertedError
from shared.sources.opening import open_source
from shared.uploads.source import open_upload
from shared.uploads.views import require_upload

SCHEDULE = "schedule"
"""The trigger of a run that the county's schedule starts."""


class PlanResult(NamedTuple):
    """Answer of Plan: where the list of partitions is, or which source table's file is to be converted first."""

    run_id: UUID
    partitions_key: str
    outcome: Literal["proceed", "convert", "skipped"]
    convert: str | None = None


def scheduled_run_id(execution_id: str) -> UUID:
    """The id of the run of a scheduled execution, the same at every attempt."""
    return uuid5(NAMESPACE_URL, execution_id)


def plan_run(county_id: str, run_id: UUID, request: SyncRequest, trigger: str, execution_arn: str) -> PlanResult:
    """Plan a run, or resume one that was planned before. Idempotent.

    A scheduled run that finds another one active is skipped, and recorded as cancelled. Raises NotFound, Conflict where
    another run of the county is active, Unprocessable for an invalid mapping or a source without what the mapping or
    the mode needs, SourceUnavailable.
    """
    result = _plan(county_id, run_id, request, trigger, execution_arn)
    log_state("planned", county_id, run_id, outcome=result.outcome)
    return result


def _plan(county_id: str, run_id: UUID, request: SyncRequest, trigger: str, execution_arn: str) -> PlanResult:
    try:
        run, mapping_text, configuration = _take_up(county_id, run_id, request, trigger, execution_arn)
    except Conflict:
        if fail_orphaned_active_run(county_id):  # the other run had no execution any more
            return _plan(county_id, run_id, request, trigger, execution_arn)
        if trigger == SCHEDULE and _skip(county_id, run_id, request):
            return PlanResult(run_id, partitions_key(county_id, run_id), "skipped")
        raise
    list_key = partitions_key(county_id, run_id)
    if run.applied_at is not None:  # only the publication remains
        _put_list(list_key, [])
        return PlanResult(run_id, list_key, "proceed")
    planned = _valid_partitions(run)
    if planned is None:
        try:
            planned = _plan_anew(run, mapping_text, configuration)
        except FileNotConvertedError as missing:
            return PlanResult(run_id, list_key, "convert", missing.table)
    _put_list(list_key, planned)
    return PlanResult(run_id, list_key, "proceed")


def _skip(county_id: str, run_id: UUID, request: SyncRequest) -> bool:
    """Record a scheduled run as cancelled because another one is active; False where none is."""
    with unit_of_work(county_id) as connection:
        existing = runs.find(connection, county_id, run_id)
        if existing is not None:
            return existing.status == "cancelled"
        active_run = runs.active(connection, county_id)
        if active_run is None:
            return False
        add_job(connection, county_id, run_id, request, submitted_by=SCHEDULE)
        runs.add(connection, county_id, new_run(connection, county_id, run_id, request, SCHEDULE), active=False)
        reason = JobError(
            type="schedule-skipped",
            detail=f"The county's schedule came while run {active_run.run_id} ({active_run.status}) was not finished.",
        )
        jobs.set_status(connection, county_id, run_id, "cancelled", reason)
    return True


def _take_up(
    county_id: str, run_id: UUID, request: SyncRequest, trigger: str, execution_arn: str
) -> tuple[RunState, str, CountyConfiguration]:
    with unit_of_work(county_id) as connection:
        if runs.find(connection, county_id, run_id) is None:
            add_run(
                connection,
                county_id,
                run_id,
                request,
                submitted_by=trigger,
                trigger=trigger,
                execution_arn=execution_arn,
            )
        if jobs.set_running(connection, county_id, run_id):
            jobs.set_execution(connection, county_id, run_id, execution_arn)
        run = runs.find(connection, county_id, run_id)
        county = runs.county(connection, county_id)
    if run is None or county is None:
        raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
    if run.status != "running":
        raise Conflict(f"Sync run {run_id} is {run.status}.", slug="sync-run-not-running")
    return run, county[1], CountyConfiguration.model_validate(county[0])


def _valid_partitions(run: RunState) -> list[PartitionState] | None:
    """The partitions of an earlier plan, where its staged rows are complete and no other run was applied since."""
    if run.planned_at is None:
        return None
    with unit_of_work(run.county_id) as connection:
        planned = partitions.of_run(connection, run.county_id, run.run_id)
        staged = all(_is_staged(connection, run, table, planned) for table in run.plan)
        same_base = runs.last_applied(connection, run.county_id) == run.base_run
    return planned if staged and same_base else None


def _is_staged(connection: Connection, run: RunState, table: str, planned: Sequence[PartitionState]) -> bool:
    """False where staged rows are missing: a database server that crashes empties its unlogged tables."""
    if not staging.exists(connection, run.run_id, table):
        return False
    expected = sum(part.rows_staged or 0 for part in planned if part.table_name == table and part.status == "done")
    if run.rolls_back is not None:  # its removals are staged by partitions too
        return sum(staging.count(connection, run.run_id, table).values()) == expected
    return staging.count_read(connection, run.run_id, table) == expected


def _plan_anew(run: RunState, mapping_text: str, configuration: CountyConfiguration) -> list[PartitionState]:
    if run.upload_id is not None:
        mapping_text = _upload_mapping(run.county_id, run.upload_id)
    mapping = parse_mapping(mapping_text, partial=run.upload_id is not None)
    if mapping.county_id_default != run.county_id:
        raise Unprocessable(
            f"The mapping is of {mapping.county_id_default}, not of {run.county_id}.", slug="mapping-of-another-county"
        )
    with unit_of_work(run.county_id) as connection:
        base_run = runs.last_applied(connection, run.county_id)
    if run.replay_of is not None:
        tables, planned = _plan_replay(run, run.replay_of, mapping, configuration)
    elif run.rolls_back is not None:
        tables, planned = _plan_roll_back(run, run.rolls_back)
    elif run.upload_id is not None:
        tables, planned = _plan_upload(run, run.upload_id, mapping, configuration)
    else:
        tables, planned = _plan_source(run, mapping, configuration)
    storage.put(mapping_key(run.county_id, run.run_id), mapping_text.encode(), "application/yaml")
    _store_deleted_rows(run, tables)
    with unit_of_work(run.county_id) as connection:
        staging.drop(connection, run.run_id)
        partitions.clear(connection, run.county_id, run.run_id)
        quarantine.clear(connection, run.county_id, run.run_id)
        warnings.clear(connection, run.county_id, run.run_id)
        findings.clear(connection, run.county_id, run.run_id)
        for table in tables:
            staging.create(connection, run.county_id, run.run_id, table, filled_columns(run, mapping, table))
        partitions.add(connection, run.county_id, planned)
        runs.set_run(
            connection,
            run.county_id,
            run.run_id,
            planned_at=func.now(),
            mapping_digest=hashlib.sha256(mapping_text.encode()).hexdigest(),
            plan={name: table.plan.model_dump(mode="json") for name, table in tables.items()},
            base_run=base_run,
            counts=None,
        )
    return planned


def _plan_source(
    run: RunState, mapping: CountyMapping, configuration: CountyConfiguration
) -> tuple[dict[str, PlannedTable], list[PartitionState]]:
    earlier = _earlier_reads(run.county_id, mapping)
    tables, planned = dict[str, PlannedTable](), list[PartitionState]()
    source = open_source(configuration)
    try:
        lookups = read_lookups(source, mapping)
        store_lookups(run.county_id, run.run_id, mapping, lookups)
        incremental = configuration.data_ingestion_settings.incremental
        strategy = ReadStrategy(source, mapping, lookups, run.mode, incremental, earlier)
        for table in mapping.table_mappings:
            name = table.target_table_name
            read = strategy.plan(table)
            rows, ranges = _cut(source, table, read.plan, earlier.full_reads.get(name))
            tables[name] = PlannedTable(read.plan.model_copy(update={"rows": rows}), read.changes)
            planned += partitioning.new_partitions(run.run_id, name, ranges)
    finally:
        source.close()
    return tables, planned


def _upload_mapping(county_id: str, upload_id: UUID) -> str:
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id)
    return str(upload.mapping)


def _plan_upload(
    run: RunState, upload_id: UUID, mapping: CountyMapping, configuration: CountyConfiguration
) -> tuple[dict[str, PlannedTable], list[PartitionState]]:
    """The plan of a run that reads an upload: all its rows, of which an absent one retires nothing."""
    tables, planned = dict[str, PlannedTable](), list[PartitionState]()
    source = open_upload(run.county_id, upload_id)
    try:
        lookups = read_lookups(source, mapping)
        store_lookups(run.county_id, run.run_id, mapping, lookups)
        settings = configuration.data_ingestion_settings.incremental
        strategy = ReadStrategy(source, mapping, lookups, run.mode, settings, EarlierReads({}, {}))
        for table in mapping.table_mappings:
            plan = strategy.plan(table).plan
            rows, ranges = _cut(source, table, plan, None)
            tables[table.target_table_name] = PlannedTable(plan.model_copy(update={"rows": rows, "read_by": "upload"}))
            planned += partitioning.new_partitions(run.run_id, table.target_table_name, ranges)
    finally:
        source.close()
    return tables, planned


def _plan_roll_back(run: RunState, rolled_back: UUID) -> tuple[dict[str, PlannedTable], list[PartitionState]]:
    """The plan of a run that restores the versions before an applied one."""
    with unit_of_work(run.county_id) as connection:
        earlier = runs.find(connection, run.county_id, rolled_back)
    if earlier is None:
        raise NotFound(f"{run.county_id} has no sync run {rolled_back}.", slug="sync-run-not-found")
    tables, planned = dict[str, PlannedTable](), list[PartitionState]()
    for table, (plan, ends) in plan_tables(run, earlier, partitioning.PARTITION_ROWS).items():
        tables[table] = PlannedTable(plan)
        ranges = partitioning.ranges_ending_at(ends) if plan.rows else []
        planned += partitioning.new_partitions(run.run_id, table, ranges)
    return tables, planned


def _earlier_reads(county_id: str, mapping: CountyMapping) -> EarlierReads:
    full_reads = {}
    with unit_of_work(county_id) as connection:
        marks = watermarks.of_county(connection, county_id)
        for table in mapping.table_mappings:
            name = table.target_table_name
            run_id = runs.last_full_read(connection, county_id, name)
            earlier = runs.find(connection, county_id, run_id) if run_id is not None else None
            if earlier is not None:
                full_reads[name] = FullRead(
                    earlier.run_id,
                    earlier.plan[name].reads,
                    digests_hold=not runs.was_written_since(connection, county_id, earlier.run_id, name),
                    partitions=partitions.of_run(connection, county_id, earlier.run_id, name),
                )
    return EarlierReads(marks, full_reads)


def _cut(
    source: Source, table: TableMapping, plan: TablePlan, full_read: FullRead | None
) -> tuple[int, partitioning.KeyRanges]:
    """The number of rows to read, and their key ranges: those of the last full read, while they fit."""
    read = source_table(table, plan)
    same = plan.read_by == "whole" and full_read is not None and full_read.reads == plan.reads
    if full_read is not None and same and source.capabilities.can(Ability.KEY_RANGES):
        rows = source.count(read)
        ranges = partitioning.reusable_ranges(full_read.partitions, rows)
        if ranges is not None:
            return rows, ranges
    rows, ends = source.cut(read, partitioning.PARTITION_ROWS)
    if rows == 0 and plan.read_by != "whole":
        return 0, []
    return rows, partitioning.ranges_ending_at(ends)


def _plan_replay(
    run: RunState, replay_of: UUID, mapping: CountyMapping, configuration: CountyConfiguration
) -> tuple[dict[str, PlannedTable], list[PartitionState]]:
    """The plan of a run that maps the rows again that an earlier one rejected."""
    with unit_of_work(run.county_id) as connection:
        earlier = runs.find(connection, run.county_id, replay_of)
    if earlier is None:
        raise NotFound(f"{run.county_id} has no sync run {replay_of}.", slug="sync-run-not-found")
    lookups = replayed_lookups(run.county_id, replay_of, mapping, lambda: open_source(configuration))
    store_lookups(run.county_id, run.run_id, mapping, lookups)
    tables, planned = dict[str, PlannedTable](), list[PartitionState]()
    for table in mapping.table_mappings:
        name = table.target_table_name
        quarantined = QuarantineSource(run.county_id, replay_of, run.replay_filter or RejectedFilter(), name)
        rows, ends = quarantined.cut(partitioning.PARTITION_ROWS)
        plan = plan_replay(mapping, name, earlier.plan.get(name) if rows else None, lookups)
        tables[name] = PlannedTable(plan.model_copy(update={"rows": rows}))
        planned += partitioning.new_partitions(run.run_id, name, partitioning.ranges_ending_at(ends) if rows else [])
    return tables, planned


def _store_deleted_rows(run: RunState, tables: dict[str, PlannedTable]) -> None:
    """Store the rows that change tracking reports as deleted, for Reconcile."""
    for name, table in tables.items():
        if table.changes is not None:
            put_frame(deleted_rows_key(run.county_id, run.run_id, name), table.changes.deleted)


def _put_list(key: str, planned: Sequence[PartitionState]) -> None:
    items = [{"table_name": part.table_name, "partition_no": part.partition_no} for part in planned]
    storage.put(key, orjson.dumps(items), "application/json")
