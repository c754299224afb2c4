"""Plan: take the county's lock, look at the source, cut its tables into partitions."""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from sqlalchemy import Connection, func

from functions.sync.domain import partitioning
from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.engine.read_strategy import Decided, Known, ReadingDecision, WholeReading
from functions.sync.engine.replay_source import QuarantinedRows, plan_of_replay
from functions.sync.failure import settle_active
from functions.sync.object_keys import deleted_key, mapping_key, partitions_key
from functions.sync.repository import findings, partitions, quarantine, runs, staging, warnings, watermarks
from functions.sync.run_data import filled_columns, source_table
from functions.sync.run_lock import add_job, add_run, new_run
from functions.sync.schemas import RejectedFilter, SyncRequest
from functions.sync.sources import Ability, Source
from functions.sync.sources.files.geographic.reader import FileNotConvertedError
from functions.sync.sources.opening import open_source
from shared import storage
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.jobs import repository as jobs
from shared.jobs.schemas import JobError
from shared.mapping import CountyMapping, TableMapping, parse_mapping
from shared.problems import Conflict, NotFound, Unprocessable

SCHEDULE = "schedule"
"""The trigger of a run that nobody asked for."""


class Planned(NamedTuple):
    """What the state machine goes on with."""

    run_id: UUID
    partitions_key: str
    outcome: Literal["proceed", "convert", "skipped"]
    convert: str | None = None
    """The source table whose file has to be converted before there is a plan."""


def scheduled_run_id(execution_id: str) -> UUID:
    """The run of an execution that nobody asked for by name: the same on every try."""
    return uuid5(NAMESPACE_URL, execution_id)


def plan_run(county_id: str, run_id: UUID, request: SyncRequest, trigger: str, execution_arn: str) -> Planned:
    """Plan a run, or take up one that was planned before. Safe to run again.

    A tick of a schedule that finds another run active is skipped, and written down as a run that was. Raises NotFound,
    Conflict where another run of the county is active, Unprocessable for a mapping with faults or a
    source without what the mapping or the mode needs, SourceUnavailable.
    """
    try:
        run, mapping_text, configuration = _take_up(county_id, run_id, request, trigger, execution_arn)
    except Conflict:
        if settle_active(county_id):  # the run in the way was one that nobody works on
            return plan_run(county_id, run_id, request, trigger, execution_arn)
        if trigger == SCHEDULE and _skip(county_id, run_id, request):
            return Planned(run_id, partitions_key(county_id, run_id), "skipped")
        raise
    list_key = partitions_key(county_id, run_id)
    if run.applied_at is not None:  # only the publishing is left
        _put_list(list_key, [])
        return Planned(run_id, list_key, "proceed")
    known = _still_valid(run)
    if known is None:
        try:
            known = _plan_anew(run, mapping_text, configuration)
        except FileNotConvertedError as missing:
            return Planned(run_id, list_key, "convert", missing.table)
    _put_list(list_key, known)
    return Planned(run_id, list_key, "proceed")


def _skip(county_id: str, run_id: UUID, request: SyncRequest) -> bool:
    """Write a tick down as a cancelled run where another one is in its way."""
    with unit_of_work(county_id) as connection:
        known = runs.find(connection, county_id, run_id)
        if known is not None:
            return known.status == "cancelled"
        other = runs.active(connection, county_id)
        if other is None:
            return False
        add_job(connection, county_id, run_id, request, submitted_by=SCHEDULE)
        runs.add(connection, county_id, new_run(connection, county_id, run_id, request, SCHEDULE), active=False)
        reason = JobError(
            type="schedule-skipped",
            detail=f"The county's schedule came while run {other.run_id} ({other.status}) was not finished.",
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


def _still_valid(run: RunState) -> list[PartitionState] | None:
    """The partitions of an earlier plan, where what it staged is there and the data is still what it began with."""
    if run.planned_at is None:
        return None
    with unit_of_work(run.county_id) as connection:
        known = partitions.of_run(connection, run.county_id, run.run_id)
        staged = all(_is_whole(connection, run.run_id, table, known) for table in run.plan)
        same_base = runs.last_applied(connection, run.county_id) == run.base_run
    return known if staged and same_base else None


def _is_whole(connection: Connection, run_id: UUID, table: str, known: Sequence[PartitionState]) -> bool:
    """A server that crashes empties its unlogged tables, and what was staged is gone."""
    if not staging.exists(connection, run_id, table):
        return False
    expected = sum(one.rows_staged or 0 for one in known if one.table_name == table and one.status == "done")
    return staging.count_read(connection, run_id, table) == expected


def _plan_anew(run: RunState, mapping_text: str, configuration: CountyConfiguration) -> list[PartitionState]:
    mapping = parse_mapping(mapping_text)
    if mapping.county_id_default != run.county_id:
        raise Unprocessable(
            f"The mapping is of {mapping.county_id_default}, not of {run.county_id}.", slug="mapping-of-another-county"
        )
    with unit_of_work(run.county_id) as connection:
        base_run = runs.last_applied(connection, run.county_id)
    if run.replay_of is not None:
        decided, planned = _replay(run, run.replay_of, mapping, configuration)
    else:
        decided, planned = _read_source(run, mapping, configuration)
    storage.put(mapping_key(run.county_id, run.run_id), mapping_text.encode(), "application/yaml")
    _keep_deleted(run, decided)
    with unit_of_work(run.county_id) as connection:
        staging.drop(connection, run.run_id)
        partitions.clear(connection, run.county_id, run.run_id)
        quarantine.clear(connection, run.county_id, run.run_id)
        warnings.clear(connection, run.county_id, run.run_id)
        findings.clear(connection, run.county_id, run.run_id)
        for table in decided:
            staging.create(connection, run.county_id, run.run_id, table, filled_columns(mapping, table))
        partitions.add(connection, run.county_id, planned)
        runs.set_run(
            connection,
            run.county_id,
            run.run_id,
            planned_at=func.now(),
            mapping_digest=hashlib.sha256(mapping_text.encode()).hexdigest(),
            plan={name: one.plan.model_dump(mode="json") for name, one in decided.items()},
            base_run=base_run,
            counts=None,
        )
    return planned


def _read_source(
    run: RunState, mapping: CountyMapping, configuration: CountyConfiguration
) -> tuple[dict[str, Decided], list[PartitionState]]:
    from functions.sync.lookups import keep_lookups, read_lookups

    known = _known(run.county_id, mapping)
    decided, planned = dict[str, Decided](), list[PartitionState]()
    source = open_source(configuration)
    try:
        lookups = read_lookups(source, mapping)
        keep_lookups(run.county_id, run.run_id, mapping, lookups)
        incremental = configuration.data_ingestion_settings.incremental
        decision = ReadingDecision(source, mapping, lookups, run.mode, incremental, known)
        for table in mapping.table_mappings:
            name = table.target_table_name
            one = decision.decide(table)
            rows, bounds = _cut(source, table, one.plan, known.whole.get(name))
            decided[name] = Decided(one.plan.model_copy(update={"rows": rows}), one.changes)
            planned += partitioning.new_partitions(run.run_id, name, bounds)
    finally:
        source.close()
    return decided, planned


def _known(county_id: str, mapping: CountyMapping) -> Known:
    whole = {}
    with unit_of_work(county_id) as connection:
        marks = watermarks.of_county(connection, county_id)
        for table in mapping.table_mappings:
            name = table.target_table_name
            run_id = runs.last_whole(connection, county_id, name)
            earlier = runs.find(connection, county_id, run_id) if run_id is not None else None
            if earlier is not None:
                whole[name] = WholeReading(
                    earlier.run_id,
                    earlier.plan[name].reads,
                    digests_hold=not runs.changed_since(connection, county_id, earlier.run_id, name),
                    partitions=partitions.of_run(connection, county_id, earlier.run_id, name),
                )
    return Known(marks, whole)


def _cut(
    source: Source, table: TableMapping, plan_run: TablePlan, whole: WholeReading | None
) -> tuple[int, partitioning.KeyRanges]:
    """How many rows there are to read, and their ranges: those of the last whole reading while they fit."""
    read = source_table(table, plan_run)
    same = plan_run.read_by == "whole" and whole is not None and whole.reads == plan_run.reads
    if whole is not None and same and source.capabilities.can(Ability.KEY_RANGES):
        rows = source.count(read)
        bounds = partitioning.reusable_ranges(whole.partitions, rows)
        if bounds is not None:
            return rows, bounds
    rows, ends = source.cut(read, partitioning.PARTITION_ROWS)
    if rows == 0 and plan_run.read_by != "whole":
        return 0, []
    return rows, partitioning.ranges_ending_at(ends)


def _replay(
    run: RunState, replay_of: UUID, mapping: CountyMapping, configuration: CountyConfiguration
) -> tuple[dict[str, Decided], list[PartitionState]]:
    """The plan of a run that maps again what an earlier one put into quarantine."""
    from functions.sync.lookups import keep_lookups, replayed_lookups

    with unit_of_work(run.county_id) as connection:
        earlier = runs.find(connection, run.county_id, replay_of)
    if earlier is None:
        raise NotFound(f"{run.county_id} has no sync run {replay_of}.", slug="sync-run-not-found")
    lookups = replayed_lookups(run.county_id, replay_of, mapping, lambda: open_source(configuration))
    keep_lookups(run.county_id, run.run_id, mapping, lookups)
    decided, planned = dict[str, Decided](), list[PartitionState]()
    for table in mapping.table_mappings:
        name = table.target_table_name
        kept = QuarantinedRows(run.county_id, replay_of, run.replay_filter or RejectedFilter(), name)
        rows, ends = kept.cut(partitioning.PARTITION_ROWS)
        plan_run = plan_of_replay(mapping, name, earlier.plan.get(name) if rows else None, lookups)
        decided[name] = Decided(plan_run.model_copy(update={"rows": rows}))
        planned += partitioning.new_partitions(run.run_id, name, partitioning.ranges_ending_at(ends) if rows else [])
    return decided, planned


def _keep_deleted(run: RunState, decided: dict[str, Decided]) -> None:
    """What change tracking says was deleted, for Reconcile."""
    for name, one in decided.items():
        if one.changes is not None:
            from functions.sync.parquet_objects import put_frame

            put_frame(deleted_key(run.county_id, run.run_id, name), one.changes.deleted)


def _put_list(key: str, planned: Sequence[PartitionState]) -> None:
    items = [{"table_name": one.table_name, "partition_no": one.partition_no} for one in planned]
    storage.put(key, orjson.dumps(items), "application/json")
