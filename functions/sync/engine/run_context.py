"""Context of a run: its state, its county's configuration and its mapping, loaded by every state of the machine."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from functions.sync.domain.runs import RunState
from functions.sync.engine.replay_source import QuarantineSource
from functions.sync.lookups import load_lookups
from functions.sync.repository import runs
from functions.sync.run_data import filled_columns, mapping_of, source_table
from functions.sync.schemas.runs import RejectedFilter
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import CountyMapping
from shared.mapping.compile.tables import CompiledTable, Lookups, compile_table
from shared.problems import Conflict, NotFound
from shared.sources import Extract, KeyRange, Source, SourceTable, TableSchema
from shared.sources.opening import open_source
from shared.sources.text_values import number_columns
from shared.uploads.source import open_upload


class RowReader(Protocol):
    """The part of a source from which partitions are read."""

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        """The rows of a range."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True)
class RunContext:
    """A planned run with its county's configuration, and the mapping that it was planned with."""

    run: RunState
    configuration: CountyConfiguration
    mapping: CountyMapping

    @property
    def county_id(self) -> str:
        return self.run.county_id

    @property
    def run_id(self) -> UUID:
        return self.run.run_id

    def source(self) -> Source:
        """Open the county's source, or the upload that the run reads. Raises SourceUnavailable."""
        if self.run.upload_id is not None:
            return open_upload(self.county_id, self.run.upload_id)
        return open_source(self.configuration)

    def rows(self, table: str) -> RowReader:
        """Open what a target's rows are read from: the source, or the quarantine of the run that is replayed."""
        if self.run.replay_of is None:
            return self.source()
        return QuarantineSource(self.county_id, self.run.replay_of, self.run.replay_filter or RejectedFilter(), table)

    def lookups(self, table: str) -> Lookups:
        """The rows of the lookups that a target's fields use, as they were when the run was planned."""
        return load_lookups(self.county_id, self.run_id, self.mapping, self.mapping.table(table).lookups)

    def numbers(self, table: str) -> frozenset[str]:
        """The source's columns of numeric type for a target."""
        return number_columns(self.run.plan[table].columns)

    def compiled(self, table: str) -> CompiledTable:
        """The mapping of a target, compiled with the lookups and the day of the run's plan."""
        return compile_table(
            self.mapping,
            table,
            today=self.run.today,
            lookups=self.lookups(table),
            timezone=self.configuration.timezone,
            numeric_columns=self.numbers(table),
        )

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a target that the run fills."""
        return filled_columns(self.run, self.mapping, table)

    def whole_table(self, table: str) -> SourceTable:
        """The source table of a target with all its rows."""
        return source_table(self.mapping.table(table))

    def source_table(self, table: str) -> SourceTable:
        """The source table of a target with the rows that the run's plan reads."""
        return source_table(self.mapping.table(table), self.run.plan[table])


def load(county_id: str, run_id: UUID) -> RunContext:
    """Load the context of a run. Raises NotFound, and Conflict for a run that does not run any more."""
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
        county = runs.county(connection, county_id)
    if run is None or county is None:
        raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
    require_running(run)
    return RunContext(run, CountyConfiguration.model_validate(county[0]), mapping_of(county_id, run_id))


def require_running(run: RunState) -> None:
    """Raise Conflict for a run that was cancelled or has ended otherwise."""
    if run.status != "running":
        raise Conflict(f"Sync run {run.run_id} is {run.status}.", slug="sync-run-not-running")
