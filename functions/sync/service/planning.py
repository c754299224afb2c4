"""Plan: take the county's lock, look at the source, cut its tables into partitions."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from sqlalchemy import Connection, func

from functions.sync.repository import partitions, runs, staging
from functions.sync.schemas import PartitionState, RunState, SyncRequest, TableShape
from functions.sync.service.context import filled_columns, source_table
from functions.sync.service.locking import take_lock
from functions.sync.service.objects import mapping_key, partitions_key
from functions.sync.sources import Ability, Key, Source, open_source
from shared import storage
from shared.county_configuration import CountyConfiguration, SyncMode
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import digest, links_of
from shared.jobs.schemas import Job, Progress
from shared.mapping import CountyMapping, TableMapping, parse_mapping
from shared.problems import Conflict, NotFound, Unprocessable

PARTITION_ROWS = 50_000
"""Rows of a partition: near 350 MB of memory while it is worked on."""
LARGEST_PARTITION = 1.5
"""How far a partition may outgrow that before its table is cut anew."""

AVAILABLE_MODES: tuple[SyncMode, ...] = ("full",)


class Planned(NamedTuple):
    """What the state machine goes on with."""

    run_id: UUID
    partitions_key: str
    outcome: Literal["proceed", "unchanged"]


def scheduled_run_id(execution_id: str) -> UUID:
    """The run of an execution that nobody asked for by name: the same on every try."""
    return uuid5(NAMESPACE_URL, execution_id)


def require_available(mode: SyncMode) -> None:
    """Raise Unprocessable for a mode that this release does not have."""
    if mode not in AVAILABLE_MODES:
        raise Unprocessable(
            f"The mode {mode} is not available yet; there is: {', '.join(AVAILABLE_MODES)}.",
            pointer="/body/mode",
            slug="sync-mode-not-available",
        )


def plan(county_id: str, run_id: UUID, request: SyncRequest, trigger: str) -> Planned:
    """Plan a run, or take up one that was planned before. Safe to run again.

    Raises NotFound, Conflict where another run of the county is active, Unprocessable for a mode that is not
    available, a mapping with faults or a source without a column that the mapping names, SourceUnavailable.
    """
    run, mapping_text, configuration = _take_up(county_id, run_id, request, trigger)
    require_available(run.mode)
    list_key = partitions_key(county_id, run_id)
    if run.applied_at is not None:  # only the publishing is left
        _put_list(list_key, [])
        return Planned(run_id, list_key, "proceed")
    known = _still_valid(run)
    if known is None:
        known = _plan_anew(run, mapping_text, configuration)
    _put_list(list_key, known)
    return Planned(run_id, list_key, "proceed")


def add_run(
    connection: Connection, county_id: str, run_id: UUID, request: SyncRequest, *, submitted_by: str, trigger: str
) -> None:
    """Write a run and its job down, and take the county's lock with it.

    Raises Conflict where another run of the county is active.
    """
    require_onboarded(connection, county_id)
    job = Job(
        id=run_id,
        kind="sync",
        status="pending",
        progress=Progress(),
        submitted_by=submitted_by,
        created_at=datetime.now(UTC),
        parameters=request.model_dump(mode="json"),
        links=links_of(county_id, "sync", run_id),
    )
    jobs.add(connection, county_id, job, digest(request))
    mode = request.mode or _configuration(connection, county_id).data_ingestion_settings.mode
    require_available(mode)
    take_lock(connection, county_id, run_id, mode=mode, validate_only=request.validate_only, trigger=trigger)


def _take_up(
    county_id: str, run_id: UUID, request: SyncRequest, trigger: str
) -> tuple[RunState, str, CountyConfiguration]:
    with unit_of_work(county_id) as connection:
        if runs.find(connection, county_id, run_id) is None:
            add_run(connection, county_id, run_id, request, submitted_by=trigger, trigger=trigger)
        jobs.set_running(connection, county_id, run_id)
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
        tables = {partition.table_name for partition in known}
        staged = all(staging.exists(connection, run.run_id, table) for table in tables)
        same_base = runs.last_applied(connection, run.county_id) == run.base_run
    return known if known and staged and same_base else None


def _plan_anew(run: RunState, mapping_text: str, configuration: CountyConfiguration) -> list[PartitionState]:
    mapping = parse_mapping(mapping_text)
    if mapping.county_id_default != run.county_id:
        raise Unprocessable(
            f"The mapping is of {mapping.county_id_default}, not of {run.county_id}.", slug="mapping-of-another-county"
        )
    with unit_of_work(run.county_id) as connection:
        base_run = runs.last_applied(connection, run.county_id)
        base = runs.find(connection, run.county_id, base_run) if base_run else None
        base_partitions = partitions.of_run(connection, run.county_id, base_run) if base_run else []
    source = open_source(configuration)
    try:
        shapes = {table.target_table_name: _shape(source, table) for table in mapping.table_mappings}
        planned = [
            partition
            for table in mapping.table_mappings
            for partition in _cut(run, source, table, shapes, base, base_partitions)
        ]
    finally:
        source.close()
    storage.put(mapping_key(run.county_id, run.run_id), mapping_text.encode(), "application/yaml")
    with unit_of_work(run.county_id) as connection:
        _write_down(connection, run, mapping, mapping_text, shapes, base_run, planned)
    return planned


def _write_down(
    connection: Connection,
    run: RunState,
    mapping: CountyMapping,
    mapping_text: str,
    shapes: dict[str, TableShape],
    base_run: UUID | None,
    planned: Sequence[PartitionState],
) -> None:
    staging.drop(connection, run.run_id)
    partitions.clear(connection, run.county_id, run.run_id)
    for table in mapping.table_mappings:
        target = table.target_table_name
        staging.create(connection, run.run_id, target, filled_columns(mapping, target))
    partitions.add(connection, run.county_id, planned)
    runs.set_run(
        connection,
        run.county_id,
        run.run_id,
        planned_at=func.now(),
        mapping_digest=hashlib.sha256(mapping_text.encode()).hexdigest(),
        source_shape={name: shape.model_dump() for name, shape in shapes.items()},
        counts={"base_run": str(base_run) if base_run else None},
    )


def _shape(source: Source, table: TableMapping) -> TableShape:
    read = source_table(table)
    columns = source.shape(read).columns
    missing = sorted(table.source_fields - set(columns))
    if missing:
        raise Unprocessable(
            f"The source of {table.target_table_name} has no column {', '.join(missing)}, which the mapping names.",
            slug="source-column-missing",
        )
    reads = orjson.dumps([read.table_name, read.query, read.key])
    return TableShape(columns=columns, reads=hashlib.sha256(reads).hexdigest())


def _cut(
    run: RunState,
    source: Source,
    table: TableMapping,
    shapes: dict[str, TableShape],
    base: RunState | None,
    base_partitions: Sequence[PartitionState],
) -> Iterator[PartitionState]:
    """A table's key ranges: those of the last applied run while they fit, so that digests can be compared."""
    target = table.target_table_name
    before = [partition for partition in base_partitions if partition.table_name == target]
    same = base is not None and target in base.source_shape and base.source_shape[target].reads == shapes[target].reads
    fits = same and source.capabilities.can(Ability.KEY_RANGES)
    bounds = _reusable(source, table, before) if fits and before else None
    if bounds is None:
        _, ends = source.cut(source_table(table), PARTITION_ROWS)
        bounds = _bounds(ends)
    for number, (lower, upper) in enumerate(bounds, start=1):
        yield PartitionState(
            run_id=run.run_id,
            table_name=target,
            partition_no=number,
            lower_key=lower,
            upper_key=upper,
            status="pending",
        )


_Bounds = list[tuple[Key | None, Key | None]]


def _reusable(source: Source, table: TableMapping, before: Sequence[PartitionState]) -> _Bounds | None:
    known = [partition.rows_read for partition in before]
    sizes = [size for size in known if size is not None]
    growth = max(0, source.count(source_table(table)) - sum(sizes))
    if len(sizes) < len(known) or max(sizes) + growth > LARGEST_PARTITION * PARTITION_ROWS:
        return None
    return [(partition.lower_key, partition.upper_key) for partition in before]


def _bounds(ends: Sequence[Key]) -> _Bounds:
    edges: list[Key | None] = [None, *ends, None]
    return list(pairwise(edges))


def _configuration(connection: Connection, county_id: str) -> CountyConfiguration:
    county = runs.county(connection, county_id)
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    return CountyConfiguration.model_validate(county[0])


def _put_list(key: str, planned: Sequence[PartitionState]) -> None:
    items = [{"table_name": one.table_name, "partition_no": one.partition_no} for one in planned]
    storage.put(key, orjson.dumps(items), "application/json")
