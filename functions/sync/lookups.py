"""The lookups of a run's mapping: read once when it is planned, so that all its partitions see the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from uuid import UUID

import polars as pl

from functions.sync.object_keys import lookup_key
from functions.sync.parquet_objects import get_frame, put_frame
from functions.sync.sources import Source, SourceTable
from functions.sync.sources.texts import without_nuls
from shared.mapping import CountyMapping
from shared.mapping.compile.lookups import build_lookup
from shared.mapping.compile.tables import Lookups
from shared.problems import NotFound, Unprocessable


def read_lookups(source: Source, mapping: CountyMapping) -> dict[str, pl.DataFrame]:
    """The rows of the lookups that the mapping's tables use.

    Raises Unprocessable where a column is missing, there are too many rows or two of a key, SourceUnavailable.
    """
    return {name: _read(source, mapping, name) for name in _used(mapping)}


def replayed_lookups(
    county_id: str, replay_of: UUID, mapping: CountyMapping, opened: Callable[[], Source]
) -> dict[str, pl.DataFrame]:
    """The same for a run that maps rows of another again: as that one found them. The source is opened only for a
    lookup that is new, or defined otherwise by now.
    """
    found, new = dict[str, pl.DataFrame](), list[str]()
    for name in _used(mapping):
        try:
            found |= lookups_of(county_id, replay_of, mapping, [name])
        except NotFound:
            new.append(name)
    if new:
        source = opened()
        try:
            found |= {name: _read(source, mapping, name) for name in new}
        finally:
            source.close()
    return found


def keep_lookups(county_id: str, run_id: UUID, mapping: CountyMapping, lookups: Lookups) -> None:
    """Store what was read, for the run's partitions and for a run that maps its rows again."""
    for name, rows in lookups.items():
        put_frame(_key(county_id, run_id, mapping, name), rows)


def lookups_of(county_id: str, run_id: UUID, mapping: CountyMapping, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """The rows of the named lookups as the run has them. Raises NotFound."""
    return {name: _kept(_key(county_id, run_id, mapping, name)) for name in names}


@lru_cache(maxsize=8)
def _kept(key: str) -> pl.DataFrame:
    """A process does many partitions of a run."""
    return get_frame(key)


def _used(mapping: CountyMapping) -> list[str]:
    return sorted({name for table in mapping.table_mappings for name in table.lookups})


def _key(county_id: str, run_id: UUID, mapping: CountyMapping, name: str) -> str:
    """With the definition in it: one that was changed is another lookup."""
    definition = f"{name}\n{mapping.lookups[name].model_dump_json()}"
    return lookup_key(county_id, run_id, hashlib.sha256(definition.encode()).hexdigest())


def _read(source: Source, mapping: CountyMapping, name: str) -> pl.DataFrame:
    lookup = mapping.lookups[name]
    table = SourceTable(lookup.source_table_name, lookup.source_query, lookup.key)
    columns = [*lookup.key, *lookup.columns]
    missing = sorted(set(columns) - set(source.shape(table).columns))
    if missing:
        raise Unprocessable(
            f"The source of the lookup {name} has no column {', '.join(missing)}, which the mapping names.",
            slug="source-column-missing",
        )
    return build_lookup(name, lookup, map(without_nuls, source.keys(table, columns)))
