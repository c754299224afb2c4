"""What every task of a run needs to know."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from functions.sync.repository import runs
from functions.sync.schemas import RunState
from functions.sync.service.objects import mapping_key
from functions.sync.sources import Source, SourceTable, open_source
from shared import storage
from shared.county_configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import CountyMapping, TableMapping, parse_mapping
from shared.problems import Conflict, NotFound


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


def load(county_id: str, run_id: UUID) -> RunContext:
    """The context of a run. Raises NotFound, and Conflict for a run that was cancelled or has failed."""
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
        county = runs.county(connection, county_id)
    if run is None or county is None:
        raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
    require_going(run)
    mapping = _parsed(storage.get(mapping_key(county_id, run_id)).decode())
    return RunContext(run, CountyConfiguration.model_validate(county[0]), mapping)


@lru_cache(maxsize=8)
def _parsed(mapping: str) -> CountyMapping:
    """A process does many partitions of a run; reading YAML takes as long as mapping 5,000 rows."""
    return parse_mapping(mapping)


def require_going(run: RunState) -> None:
    """Raise Conflict for a run that somebody cancelled, or that has ended otherwise."""
    if run.status != "running":
        raise Conflict(f"Sync run {run.run_id} is {run.status}.", slug="sync-run-not-running")


def source_table(table: TableMapping) -> SourceTable:
    """What a table mapping reads."""
    return SourceTable(table.source_table_name, table.source_query, table.primary_key_source_fields)


def filled_columns(mapping: CountyMapping, target: str) -> tuple[str, ...]:
    """The target columns that a mapping fills, in the order of the table."""
    from shared.mapping.targets import target_tables

    filled = {field.column for field in mapping.table(target).field_map}
    return tuple(name for name in target_tables()[target].columns if name in filled)
