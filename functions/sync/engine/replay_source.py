"""Rows in quarantine, read like a source by a run that maps them again."""

import hashlib
from uuid import UUID

from functions.sync.domain.runs import TablePlan
from functions.sync.repository import quarantine
from functions.sync.schemas.runs import RejectedFilter
from shared.contracts.source_rows import Key
from shared.db import unit_of_work
from shared.mapping import READ_FAULT, VALUE_FAULTS, CountyMapping
from shared.mapping.compile.tables import Lookups, mapping_digest
from shared.problems import Unprocessable
from shared.sources import Extract, KeyRange, SourceTable, TableSchema


class QuarantineSource:
    """The open rows of one run and target table, as a source whose keys are their row numbers."""

    def __init__(self, county_id: str, run_id: UUID, row_filter: RejectedFilter, target: str) -> None:
        self._county_id = county_id
        self._run_id = run_id
        self._row_filter = row_filter
        self._target = target

    def cut(self, rows: int) -> tuple[int, list[Key]]:
        """The number of rows, and the number of every `rows`-th of them."""
        with unit_of_work(self._county_id) as connection:
            return quarantine.cut(connection, self._county_id, self._run_id, self._row_filter, self._target, rows=rows)

    def read(self, _table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        """The rows of a range as they were read from the source."""
        with unit_of_work(self._county_id) as connection:
            frame = quarantine.read(
                connection,
                self._county_id,
                self._run_id,
                self._row_filter,
                self._target,
                columns=list(dict.fromkeys([*schema.columns, READ_FAULT, VALUE_FAULTS])),
                lower=int(keys.lower[0]) if keys.lower else None,
                upper=int(keys.upper[0]) if keys.upper else None,
            )
        digest = hashlib.sha256(frame.write_csv(quote_style="necessary").encode()).hexdigest()
        return Extract(frame.height, digest, lambda: frame)

    def close(self) -> None:
        """Do nothing: no connection stays open."""


def plan_replay(mapping: CountyMapping, target: str, earlier: TablePlan | None, lookups: Lookups) -> TablePlan:
    """The plan of reading quarantined rows again. Raises Unprocessable where the mapping names a column they lack."""
    columns = earlier.columns if earlier is not None else {}
    missing = sorted(mapping.table(target).source_fields - set(columns))
    if earlier is not None and missing:
        raise Unprocessable(
            f"The rows in quarantine of {target} have no column {', '.join(missing)}, which the mapping names by now;"
            " start a full run.",
            slug="source-column-missing",
        )
    return TablePlan(
        columns=columns,
        reads=earlier.reads if earlier is not None else "",
        mapping_digest=mapping_digest(mapping, target, lookups),
        read_by="quarantine",
    )
