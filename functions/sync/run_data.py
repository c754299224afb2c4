"""The mapping of a run, and the parts of it that both the engine and the services read."""

from functools import lru_cache
from uuid import UUID

from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.object_keys import mapping_key
from shared import storage
from shared.mapping import CountyMapping, TableMapping, parse_mapping
from shared.mapping.targets import target_tables
from shared.sources import ChangedSince, Since, SourceTable


def mapping_of(county_id: str, run_id: UUID) -> CountyMapping:
    """The mapping with which a run was planned."""
    return _parsed(storage.get(mapping_key(county_id, run_id)).decode())


@lru_cache(maxsize=8)
def _parsed(mapping: str) -> CountyMapping:
    """Cached, because a process does many partitions of a run and parsing YAML takes as long as mapping 5,000 rows."""
    return parse_mapping(mapping, partial=True)  # Plan has checked it, strictly but for uploads


def filled_columns(run: RunState, mapping: CountyMapping, target: str) -> tuple[str, ...]:
    """The target columns that a run fills, in the order of the table: those of its mapping, or all where it restores
    earlier versions.
    """
    columns = tuple(target_tables()[target].columns)
    if run.rolls_back is not None:
        return columns
    filled = mapping.table(target).filled_columns
    return tuple(name for name in columns if name in filled)


def source_table(table: TableMapping, plan: TablePlan | None = None) -> SourceTable:
    """The source table of a table mapping: with all its rows, or with those that a plan reads."""
    since: Since | ChangedSince | None = None
    if plan is not None and plan.since is not None:
        if plan.read_by == "watermark":
            since = Since(table.watermark_field or "", plan.since)
        elif plan.read_by == "change_tracking":
            since = ChangedSince(int(plan.since))
    return SourceTable(table.source_table_name, table.source_query, table.primary_key_source_fields, since)
