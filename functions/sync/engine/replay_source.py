"""What a run put into quarantine, read like a source: for a run that maps it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

from functions.sync.domain.partitions import Key
from functions.sync.domain.runs import TablePlan
from functions.sync.repository import quarantine
from functions.sync.schemas import RejectedFilter
from functions.sync.sources import Extract, KeyRange, Shape, SourceTable
from shared.db import unit_of_work
from shared.mapping import READ_FAULT, VALUE_FAULTS, CountyMapping
from shared.problems import Unprocessable

if TYPE_CHECKING:
    import polars as pl

    from shared.mapping.compile.tables import Lookups


class QuarantinedRows:
    """The open rows of one run and target. A key range is one of their numbers."""

    def __init__(self, county_id: str, run_id: UUID, wanted: RejectedFilter, target: str) -> None:
        self._county_id = county_id
        self._run_id = run_id
        self._wanted = wanted
        self._target = target

    def cut(self, rows: int) -> tuple[int, list[Key]]:
        """How many rows there are, and the numbers of every `rows`-th one."""
        with unit_of_work(self._county_id) as connection:
            return quarantine.cut(connection, self._county_id, self._run_id, self._wanted, self._target, rows=rows)

    def read(self, _table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        """The rows of a range as the source once gave them."""
        with unit_of_work(self._county_id) as connection:
            frame = quarantine.read(
                connection,
                self._county_id,
                self._run_id,
                self._wanted,
                self._target,
                columns=list(dict.fromkeys([*shape.columns, READ_FAULT, VALUE_FAULTS])),
                lower=int(keys.lower[0]) if keys.lower else None,
                upper=int(keys.upper[0]) if keys.upper else None,
            )
        digest = hashlib.sha256(frame.write_csv(quote_style="necessary").encode()).hexdigest()

        def rows() -> pl.DataFrame:
            return frame

        return Extract(frame.height, digest, rows)

    def close(self) -> None:
        """Nothing is held open."""


def plan_of_replay(mapping: CountyMapping, target: str, earlier: TablePlan | None, lookups: Lookups) -> TablePlan:
    """How rows in quarantine are read again. Raises Unprocessable where the mapping names a column they have not."""
    from shared.mapping.compile.tables import mapping_digest

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
