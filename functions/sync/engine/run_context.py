"""What every task of a run needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from functions.sync.domain.runs import RunState
from functions.sync.engine.replay_source import QuarantinedRows
from functions.sync.repository import runs
from functions.sync.run_data import mapping_of, source_table
from functions.sync.schemas import RejectedFilter
from functions.sync.sources import Extract, KeyRange, Shape, Source, SourceTable
from functions.sync.sources.opening import open_source
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import CountyMapping
from shared.problems import Conflict, NotFound

if TYPE_CHECKING:
    from shared.mapping.compile.tables import CompiledTable, Lookups


class Rows(Protocol):
    """What partitions are read from."""

    def read(self, table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        """The rows of a range."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
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
        """The county's source, opened. Raises SourceUnavailable."""
        return open_source(self.configuration)

    def rows(self, table: str) -> Rows:
        """Where the rows of a target come from: the source, or what an earlier run put into quarantine."""
        if self.run.replay_of is None:
            return self.source()
        return QuarantinedRows(self.county_id, self.run.replay_of, self.run.replay_filter or RejectedFilter(), table)

    def lookups(self, table: str) -> Lookups:
        """The rows of the lookups that a target's fields use, as they were when the run was planned."""
        from functions.sync.lookups import lookups_of

        return lookups_of(self.county_id, self.run_id, self.mapping, self.mapping.table(table).lookups)

    def numbers(self, table: str) -> frozenset[str]:
        """The source's columns of a target whose type is one of numbers."""
        from functions.sync.sources.texts import number_columns

        return number_columns(self.run.plan[table].columns)

    def compiled(self, table: str) -> CompiledTable:
        """The mapping of a target, compiled with what the run was planned with."""
        from shared.mapping.compile.tables import compile_table

        return compile_table(
            self.mapping,
            table,
            today=self.run.today,
            lookups=self.lookups(table),
            timezone=self.configuration.timezone,
            numeric_columns=self.numbers(table),
        )

    def whole_table(self, table: str) -> SourceTable:
        """All that the source has for a target."""
        return source_table(self.mapping.table(table))

    def source_table(self, table: str) -> SourceTable:
        """What the run reads for a target."""
        return source_table(self.mapping.table(table), self.run.plan[table])


def load(county_id: str, run_id: UUID) -> RunContext:
    """The context of a run. Raises NotFound, and Conflict for a run that was cancelled or has failed."""
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
        county = runs.county(connection, county_id)
    if run is None or county is None:
        raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
    require_going(run)
    return RunContext(run, CountyConfiguration.model_validate(county[0]), mapping_of(county_id, run_id))


def require_going(run: RunState) -> None:
    """Raise Conflict for a run that somebody cancelled, or that has ended otherwise."""
    if run.status != "running":
        raise Conflict(f"Sync run {run.run_id} is {run.status}.", slug="sync-run-not-running")
