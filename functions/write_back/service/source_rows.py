"""The rows that the county's system has now, read by the mapping's own queries, range by range."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import orjson
import polars as pl

from functions.write_back.domain.changes import MappedRow
from shared.contracts.source_rows import Key
from shared.counties.configuration import CountyConfiguration
from shared.mapping import CountyMapping
from shared.mapping.compile.lookups import build_lookup
from shared.mapping.compile.tables import CompiledTable, compile_table
from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES
from shared.sources import KeyRange, Source, SourceTable, TableSchema
from shared.sources.text_values import number_columns, remove_nuls

RANGE_ROWS = 50_000
"""Rows that are read at once: as many as a partition of a sync, for the same memory."""

RawRow = Mapping[str, str | None]


@dataclass(frozen=True)
class SourceReader:
    """A table of the county's system, and the mapping of its rows."""

    source: Source
    configuration: CountyConfiguration
    mapping: CountyMapping
    target: str

    def ranges(self) -> list[KeyRange]:
        """Ranges of keys that have all rows."""
        _, ends = self.source.cut(self._table, RANGE_ROWS)
        edges: list[Key | None] = [None, *ends, None]
        return [KeyRange(lower, upper) for lower, upper in pairwise(edges)]

    def keyed(self, keys: KeyRange) -> pl.DataFrame:
        """The rows of a range with the target's key, the first of each, without those that are rejected."""
        frame = remove_nuls(self.source.read(self._table, self._schema, keys).frame())
        keyed = frame.with_columns(self._compiled.good_keys(frame).alias(_KEY)).filter(pl.col(_KEY).is_not_null())
        return keyed.unique(_KEY, keep="first", maintain_order=True)

    def mapped(self, rows: Iterable[RawRow]) -> dict[str, MappedRow]:
        """The target's rows as the mapping reads these, by key; those that it rejects are missing."""
        frame = pl.DataFrame(list(rows), schema=dict.fromkeys(self._columns, pl.String))
        good = self._compiled.apply(frame).good.drop("row_hash")
        return {row[self._compiled.key]: _by_field(row) for row in good.iter_rows(named=True)}

    @cached_property
    def _table(self) -> SourceTable:
        table = self.mapping.table(self.target)
        return SourceTable(table.source_table_name, table.source_query, table.primary_key_source_fields)

    @cached_property
    def _columns(self) -> list[str]:
        return list(self._schema.columns)

    @cached_property
    def _schema(self) -> TableSchema:
        return self.source.schema(self._table)

    @cached_property
    def _compiled(self) -> CompiledTable:
        return compile_table(
            self.mapping,
            self.target,
            today=datetime.now(ZoneInfo(self.configuration.timezone)).date(),
            lookups={name: self._lookup(name) for name in self.mapping.table(self.target).lookups},
            timezone=self.configuration.timezone,
            numeric_columns=number_columns(self._schema.columns),
        )

    def _lookup(self, name: str) -> pl.DataFrame:
        lookup = self.mapping.lookups[name]
        table = SourceTable(lookup.source_table_name, lookup.source_query, lookup.key)
        return build_lookup(name, lookup, map(remove_nuls, self.source.keys(table, [*lookup.key, *lookup.columns])))


_KEY = "_key"


def keys_of(frame: pl.DataFrame) -> list[str]:
    """The target's keys of the rows of a frame of `keyed`."""
    return frame[_KEY].to_list()


def raw_rows(frame: pl.DataFrame) -> Iterator[tuple[str, RawRow]]:
    """The rows of a frame of `keyed`, with the target's key of each."""
    for row in frame.iter_rows(named=True):
        yield row.pop(_KEY), row


def _by_field(row: dict[str, object]) -> MappedRow:
    attributes = row.pop(ATTRIBUTES, None)
    entries = orjson.loads(attributes) if isinstance(attributes, str) else {}
    return row | {f"{ATTRIBUTE_PREFIX}{name}": value for name, value in entries.items()}
