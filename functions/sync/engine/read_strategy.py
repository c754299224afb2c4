"""How a run reads each of its tables: whole, or what changed since the last applied run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from functions.sync.domain.partitions import PartitionState
from functions.sync.domain.runs import TablePlan, Watermark
from functions.sync.run_data import source_table
from functions.sync.schemas import RunMode
from functions.sync.sources import Ability, Changes, Source, SourceTable, overlapped
from shared.counties.configuration import IncrementalSettings
from shared.mapping import CountyMapping, TableMapping
from shared.problems import Conflict, Unprocessable

if TYPE_CHECKING:
    from shared.mapping.compile.tables import Lookups


@dataclass(frozen=True)
class Decided:
    """A table's plan; with change tracking also what was deleted in the source."""

    plan: TablePlan
    changes: Changes | None = None


@dataclass(frozen=True)
class WholeReading:
    """The last applied run that read the whole of a table; `digests_hold` while no later run wrote to the target."""

    run_id: UUID
    reads: str
    digests_hold: bool
    partitions: Sequence[PartitionState]


@dataclass(frozen=True)
class Known:
    """What the runs before left of each target."""

    watermarks: Mapping[str, Watermark]
    whole: Mapping[str, WholeReading]


class ReadingDecision:
    """Decides for the tables of one run."""

    def __init__(
        self,
        source: Source,
        mapping: CountyMapping,
        lookups: Lookups,
        mode: RunMode,
        settings: IncrementalSettings,
        known: Known,
    ) -> None:
        self._source = source
        self._mapping = mapping
        self._lookups = lookups
        self._mode = mode
        self._settings = settings
        self._known = known

    def decide(self, table: TableMapping) -> Decided:
        """How a table is read, with the source's watermark as it is before any row is.

        Raises Unprocessable where a column is missing or the source cannot do what is asked of it, Conflict (slug
        `change-tracking-expired`), SourceUnavailable.
        """
        base = self._whole(table)
        if self._mode != "incremental":
            return Decided(base)
        mark = self._known.watermarks.get(table.target_table_name)
        if mark is None or mark.mapping_digest != base.mapping_digest:
            return Decided(base)  # nothing to begin at, or rows that the mapping of now has not seen
        if self._settings.by == "change_tracking":
            return self._tracked(table, base, mark)
        return Decided(_by_watermark(base, mark, self._settings.overlap_seconds))

    def _whole(self, table: TableMapping) -> TablePlan:
        from shared.mapping.compile.tables import mapping_digest

        target, read = table.target_table_name, source_table(table)
        whole = self._known.whole.get(target)
        columns = self._source.shape(read).columns
        missing = sorted(table.source_fields - set(columns))
        if missing:
            raise Unprocessable(
                f"The source of {target} has no column {', '.join(missing)}, which the mapping names.",
                slug="source-column-missing",
            )
        # a key of another type orders its rows otherwise, so earlier ranges would overlap
        reads = [read.table_name, read.query, read.key, [columns[name] for name in read.key]]
        return TablePlan(
            columns=columns,
            reads=hashlib.sha256(orjson.dumps(reads)).hexdigest(),
            mapping_digest=mapping_digest(self._mapping, target, self._lookups),
            read_by="whole",
            watermark=self._watermark(table, read),
            change_version=self._change_version(read),
            whole_run=whole.run_id if whole is not None else None,
            digests_hold=whole is not None and whole.digests_hold and self._mode != "snapshot",
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
            return None  # a run that reads everything has no need of it

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
            return None  # a table that is not tracked, or a query: it is read whole

    def _tracked(self, table: TableMapping, base: TablePlan, mark: Watermark) -> Decided:
        if mark.change_version is None or base.change_version is None:
            return Decided(base)
        try:
            changes = self._source.changes_since(source_table(table), mark.change_version)
        except Conflict as expired:
            if expired.slug == "change-tracking-expired" and self._settings.when_expired == "read_all":
                return Decided(base)
            raise
        since = {"read_by": "change_tracking", "since": str(mark.change_version), "digests_hold": False}
        # the older of the two versions: what changes between the two questions is read again by the next run
        return Decided(base.model_copy(update=since), changes)


def _by_watermark(base: TablePlan, mark: Watermark, overlap_seconds: int) -> TablePlan:
    if base.watermark is None or mark.watermark is None:
        return base
    since = overlapped(mark.watermark, overlap_seconds)
    return base.model_copy(update={"read_by": "watermark", "since": since, "digests_hold": False})
