"""Check of a county's source before anything is synced: connection, tables, columns, rows, keys, values.

Polars is imported when a check is asked for, as in a preview.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import orjson

from functions.sync.repository import runs
from functions.sync.run_data import source_table
from functions.sync.schemas.source_checks import (
    CheckedTable,
    KeyCheck,
    ReasonCount,
    SampleCheck,
    SourceCheck,
    SourceCheckRequest,
)
from functions.sync.service.requested_mapping import parse_requested, requested_table
from shared.contracts.source_rows import ADDED_COLUMNS
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import CountyMapping, TableMapping
from shared.problems import NotFound, Problem, SourceUnavailable
from shared.sources.network import Timeouts, request_timeouts
from shared.sources.opening import open_source

if TYPE_CHECKING:
    from shared.sources import Source

Read = TypeVar("Read")

SAMPLE_ROWS = 200
"""Rows of a table that are mapped. A choice: enough to show a column that is not as the mapping takes it."""
MAX_KEY_ROWS = 500_000
"""Rows of a table whose keys are compared, as many as a lookup may have: some 100 MB."""
KEY_RESERVE_S = 4.0
"""Seconds of the request that are kept for what follows the reading of a table's keys."""
MAX_EXAMPLES = 5


def check(county_id: str, request: SourceCheckRequest) -> SourceCheck:
    """Read what a first sync would read, and report of each table what stands in its way; nothing is stored.

    A source that cannot be reached is a fault of the answer, and so is a table that cannot be read. Raises NotFound,
    and Unprocessable for an invalid mapping or an unknown table.
    """
    with unit_of_work(county_id) as connection:
        county = runs.county(connection, county_id)
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    mapping = parse_requested(request.mapping or county[1])
    tables = (requested_table(mapping, request.table),) if request.table else mapping.table_mappings
    configuration = CountyConfiguration.model_validate(county[0])
    timeouts = request_timeouts()
    try:
        source = open_source(configuration, timeouts)
    except SourceUnavailable as fault:
        return SourceCheck(ready=False, fault=fault.detail, tables=[])
    try:
        checked = [_TableCheck(source, configuration, mapping, table, timeouts).run() for table in tables]
    finally:
        source.close()
    return SourceCheck(ready=all(table.ready for table in checked), fault=_common_fault(checked), tables=checked)


def _common_fault(tables: Sequence[CheckedTable]) -> str | None:
    """The fault that no table could be read for: where all have the same one, it is the source's."""
    faults = {table.faults[0] if not table.columns and table.faults else None for table in tables}
    return faults.pop() if len(faults) == 1 else None


@dataclass
class _TableCheck:
    """One table's check; a step that fails is a fault, and the others go on without it."""

    source: Source
    configuration: CountyConfiguration
    mapping: CountyMapping
    table: TableMapping
    timeouts: Timeouts
    faults: list[str] = field(default_factory=list)

    def run(self) -> CheckedTable:
        table = source_table(self.table)
        schema = self._step("its columns", lambda: self.source.schema(table))
        given = schema.columns if schema is not None else {}
        columns = {name: kind for name, kind in given.items() if name not in ADDED_COLUMNS}
        missing = self._missing_columns(columns) if schema is not None else set[str]()
        readable = schema is not None and not missing
        rows = self._step("the number of its rows", lambda: self.source.count(table)) if schema is not None else None
        if rows == 0:
            self.faults.append("it has no rows: a sync would not take the county for empty, and stops there")
        sample = self._step("what the mapping makes of it", self._sample) if readable else None
        if sample is not None and sample.rows and sample.rejected == sample.rows:
            self.faults.append("every row of the sample is rejected")
        key = self._checked_key() if readable else None
        watermark = self._watermark() if readable else None
        return CheckedTable(
            table=self.table.target_table_name,
            source=self.table.source_table_name or "a query",
            ready=not self.faults,
            faults=self.faults,
            rows=rows,
            columns=columns,
            unmapped_columns=sorted(columns.keys() - self.table.source_fields),
            key=key,
            watermark=watermark,
            sample=sample,
        )

    def _step(self, subject: str, read: Callable[[], Read]) -> Read | None:
        """The result of `read`; None where the source refuses it, which is a fault then."""
        if (self.timeouts.remaining_seconds or 0) <= 0:
            self.faults.append(f"{subject}: not looked at, because the source took all of the request's time")
            return None
        try:
            return read()
        except Problem as fault:
            self.faults.append(f"{subject}: {fault.detail}")
            return None

    def _missing_columns(self, columns: dict[str, str]) -> set[str]:
        missing = self.table.source_fields - columns.keys()
        if missing:
            self.faults.append(f"it has no column {', '.join(sorted(missing))}, which the mapping names")
        return set(missing)

    def _watermark(self) -> str | None:
        name = self.table.watermark_field
        if name is None:
            return None
        return self._step(f"its watermark {name}", lambda: self.source.watermark(source_table(self.table), name))

    def _sample(self) -> SampleCheck:
        """Some rows, mapped, with the reasons for which rows of them are rejected."""
        from functions.sync.lookups import read_lookups
        from shared.mapping.compile.tables import compile_table
        from shared.sources.text_values import number_columns, remove_nuls

        mapping = self.mapping.model_copy(update={"table_mappings": (self.table,)})
        lookups = read_lookups(self.source, mapping)
        sample = self.source.sample(source_table(self.table), SAMPLE_ROWS)
        compiled = compile_table(
            mapping,
            self.table.target_table_name,
            today=datetime.now(UTC).date(),
            lookups=lookups,
            timezone=self.configuration.timezone,
            numeric_columns=number_columns(sample.types),
        )
        rejected = [orjson.loads(text) for text in compiled.explain(remove_nuls(sample.frame))["rejected"]]
        found = [reason for reasons in rejected for reason in reasons]
        counted = Counter((reason["rule"], reason["field"]) for reason in found)
        first = {(reason["rule"], reason["field"]): reason["message"] for reason in reversed(found)}
        return SampleCheck(
            rows=len(rejected),
            rejected=sum(bool(reasons) for reasons in rejected),
            reasons=[
                ReasonCount(rule=rule, field=name, rows=rows, message=first[rule, name])
                for (rule, name), rows in counted.most_common()
            ],
        )

    def _checked_key(self) -> KeyCheck | None:
        key = self._step("its keys", self._key)
        if key is not None and (key.duplicated or key.without_key):
            self.faults.append(
                f"{', '.join(key.columns)} is not its key: {key.duplicated:,} rows share theirs with another row, and"
                f" {key.without_key:,} have none"
            )
        return key

    def _key(self) -> KeyCheck:
        """The key columns of all rows, or of as many as there is time and room for, compared."""
        import polars as pl

        columns = list(self.table.primary_key_source_fields)
        frames, rows, complete = list[pl.DataFrame](), 0, True
        for frame in self.source.keys(source_table(self.table), columns):
            frames.append(frame.select(columns))
            rows += frame.height
            if rows >= MAX_KEY_ROWS or (self.timeouts.remaining_seconds or 0) < KEY_RESERVE_S:
                complete = False
                break
        keys = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        has_key = pl.all_horizontal(pl.col(columns).is_not_null())
        shared = keys.filter(has_key).group_by(columns, maintain_order=True).len("rows").filter(pl.col("rows") > 1)
        return KeyCheck(
            columns=columns,
            rows=rows,
            complete=complete,
            without_key=keys.filter(~has_key).height,
            duplicated=int(shared["rows"].sum()),
            examples=["/".join(key) for key in shared.head(MAX_EXAMPLES).select(columns).iter_rows()],
        )
