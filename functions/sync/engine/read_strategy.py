"""Read strategy of a run: each table whole, or the rows changed since the last applied run."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import TablePlan, Watermark
from functions.sync.run_data import source_table
from functions.sync.schemas.runs import RunMode
from shared.counties.configuration import IncrementalSettings
from shared.mapping import CountyMapping, TableMapping
from shared.mapping.compile.tables import Lookups, mapping_digest
from shared.problems import Conflict, Unprocessable
from shared.sources import Ability, Changes, Source, SourceTable, with_overlap


@dataclass(frozen=True)
class PlannedTable:
    """The plan of a table, and with change tracking the changes, whose deleted rows Reconcile retires."""

    plan: TablePlan
    changes: Changes | None = None


@dataclass(frozen=True)
class FullRead:
    """The last applied run that read the whole of a table. Its digests hold while no later run has written the
    table.
    """

    run_id: UUID
    reads: str
    digests_hold: bool
    partitions: Sequence[PartitionState]


@dataclass(frozen=True)
class EarlierReads:
    """State from earlier runs, by target table: last watermark and last full read."""

    watermarks: Mapping[str, Watermark]
    full_reads: Mapping[str, FullRead]


class ReadStrategy:
    """Plans how the tables of one run are read."""

    def __init__(
        self,
        source: Source,
        mapping: CountyMapping,
        lookups: Lookups,
        mode: RunMode,
        settings: IncrementalSettings,
        earlier: EarlierReads,
    ) -> None:
        self._source = source
        self._mapping = mapping
        self._lookups = lookups
        self._mode = mode
        self._settings = settings
        self._earlier = earlier

    def plan(self, table: TableMapping) -> PlannedTable:
        """The plan of a table, with the source's watermark from before any row is read.

        Raises Unprocessable where a column is missing or the source lacks an ability that the mode needs, Conflict
        (slug `change-tracking-expired`), SourceUnavailable."""
        base = self._full_plan(table)
        if self._mode != "incremental":
            return PlannedTable(base)
        mark = self._earlier.watermarks.get(table.target_table_name)
        if mark is None or mark.mapping_digest != base.mapping_digest:
            return PlannedTable(base)  # no watermark yet, or rows that were mapped by another mapping
        if self._settings.by == "change_tracking":
            return self._tracked(table, base, mark)
        return PlannedTable(_by_watermark(base, mark, self._settings.overlap_seconds))

    def _full_plan(self, table: TableMapping) -> TablePlan:
        target, read = table.target_table_name, source_table(table)
        full_read = self._earlier.full_reads.get(target)
        columns = self._source.schema(read).columns
        missing = sorted(table.source_fields - set(columns))
        if missing:
            raise Unprocessable(
                f"The source of {target} has no column {', '.join(missing)}, which the mapping names.",
                slug="source-column-missing",
            )
        # keys of another type sort in another order, so the earlier ranges would overlap
        reads = [read.table_name, read.query, read.key, [columns[name] for name in read.key]]
        return TablePlan(
            columns=columns,
            reads=hashlib.sha256(orjson.dumps(reads)).hexdigest(),
            mapping_digest=mapping_digest(self._mapping, target, self._lookups),
            read_by="whole",
            watermark=self._watermark(table, read),
            change_version=self._change_version(read),
            whole_run=full_read.run_id if full_read is not None else None,
            digests_hold=full_read is not None and full_read.digests_hold and self._mode != "snapshot",
        )

    def _watermark(self, table: TableMapping, read: SourceTable) -> str | None:
        if table.watermark_field is None or self._settings.by != "watermark":
            return None
        incremental = self._mode == "incremental"
        if incremental:
            self._source.capabilities.require(Ability.WATERMARK)
        elif not self._source.capabilities.can(Ability.WATERMARK):
            return None
        try:
            return self._source.watermark(read, table.watermark_field)
        except Unprocessable:
            if incremental:
                raise
            return None  # a full read does without

    def _change_version(self, read: SourceTable) -> int | None:
        if self._settings.by != "change_tracking":
            return None
        if self._mode == "incremental":
            self._source.capabilities.require(Ability.CHANGE_TRACKING)
        elif not self._source.capabilities.can(Ability.CHANGE_TRACKING):
            return None
        try:
            return self._source.change_version(read)
        except Unprocessable:
            return None  # an untracked table, or a query: it is read whole

    def _tracked(self, table: TableMapping, base: TablePlan, mark: Watermark) -> PlannedTable:
        if mark.change_version is None or base.change_version is None:
            return PlannedTable(base)
        try:
            changes = self._source.changes_since(source_table(table), mark.change_version)
        except Conflict as expired:
            if expired.slug == "change-tracking-expired" and self._settings.when_expired == "read_all":
                return PlannedTable(base)
            raise
        since = {"read_by": "change_tracking", "since": str(mark.change_version), "digests_hold": False}
        # `base` has the older of the two versions: rows changed between the two statements are read again by the next
        # run
        return PlannedTable(base.model_copy(update=since), changes)


def _by_watermark(base: TablePlan, mark: Watermark, overlap_seconds: int) -> TablePlan:
    if base.watermark is None or mark.watermark is None:
        return base
    since = with_overlap(mark.watermark, overlap_seconds)
    return base.model_copy(update={"read_by": "watermark", "since": since, "digests_hold": False})
