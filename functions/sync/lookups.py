"""Lookups of a run's mapping: read once by Plan, so that all partitions see the same rows."""

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from uuid import UUID

import polars as pl

from functions.sync.object_keys import lookup_key
from functions.sync.parquet_objects import get_frame, put_frame
from shared.mapping import CountyMapping
from shared.mapping.compile.lookups import build_lookup
from shared.mapping.compile.tables import Lookups
from shared.problems import NotFound, Unprocessable
from shared.sources import Source, SourceTable
from shared.sources.text_values import remove_nuls


def read_lookups(source: Source, mapping: CountyMapping) -> dict[str, pl.DataFrame]:
    """Read the rows of the lookups that the mapping's tables use.

    Raises Unprocessable where a column is missing, there are too many rows or two of a key, SourceUnavailable.
    """
    return {name: _read(source, mapping, name) for name in _used(mapping)}


def replayed_lookups(
    county_id: str, replay_of: UUID, mapping: CountyMapping, open_source: Callable[[], Source]
) -> dict[str, pl.DataFrame]:
    """The lookups of a replay: those of the run that is replayed; new or redefined ones are read from the source."""
    lookups, new = dict[str, pl.DataFrame](), list[str]()
    for name in _used(mapping):
        try:
            lookups |= load_lookups(county_id, replay_of, mapping, [name])
        except NotFound:
            new.append(name)
    if new:
        source = open_source()
        try:
            lookups |= {name: _read(source, mapping, name) for name in new}
        finally:
            source.close()
    return lookups


def store_lookups(county_id: str, run_id: UUID, mapping: CountyMapping, lookups: Lookups) -> None:
    """Store the lookups of a run, for its partitions and its replays."""
    for name, rows in lookups.items():
        put_frame(_key(county_id, run_id, mapping, name), rows)


def load_lookups(county_id: str, run_id: UUID, mapping: CountyMapping, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """The stored rows of a run's lookups. Raises NotFound."""
    return {name: _loaded(_key(county_id, run_id, mapping, name)) for name in names}


@lru_cache(maxsize=8)
def _loaded(key: str) -> pl.DataFrame:
    """Cached, because a process does many partitions of a run."""
    return get_frame(key)


def _used(mapping: CountyMapping) -> list[str]:
    return sorted({name for table in mapping.table_mappings for name in table.lookups})


def _key(county_id: str, run_id: UUID, mapping: CountyMapping, name: str) -> str:
    """The key has the definition's digest in it: a redefined lookup is another object."""
    definition = f"{name}\n{mapping.lookups[name].model_dump_json()}"
    return lookup_key(county_id, run_id, hashlib.sha256(definition.encode()).hexdigest())


def _read(source: Source, mapping: CountyMapping, name: str) -> pl.DataFrame:
    lookup = mapping.lookups[name]
    table = SourceTable(lookup.source_table_name, lookup.source_query, lookup.key)
    columns = [*lookup.key, *lookup.columns]
    missing = sorted(set(columns) - set(source.schema(table).columns))
    if missing:
        raise Unprocessable(
            f"The source of the lookup {name} has no column {', '.join(missing)}, which the mapping names.",
            slug="source-column-missing",
        )
    return build_lookup(name, lookup, map(remove_nuls, source.keys(table, columns)))
