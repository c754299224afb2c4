"""Lookup tables: small tables of the source, read whole once per run and indexed by their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import polars as pl

from shared.mapping.language.model import LookupTable
from shared.mapping.transformations.codes import LOOKUP_KEY, lookup_key
from shared.problems import Unprocessable

MAX_LOOKUP_ROWS = 500_000
"""A lookup is held whole by each partition while it is mapped: some 60 MB at this size."""


def build_lookup(name: str, lookup: LookupTable, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of a lookup by key (all columns String); rows without a key are left out.

    Raises Unprocessable where there are too many rows, or two with the same key.
    """
    columns = [*lookup.key, *lookup.columns]
    parts, rows = [pl.DataFrame(schema=dict.fromkeys(columns, pl.String))], 0
    for frame in frames:
        rows += frame.height
        if rows > MAX_LOOKUP_ROWS:
            raise Unprocessable(
                f"The lookup {name} has more than {MAX_LOOKUP_ROWS:,} rows; join the tables in a source_query instead.",
                slug="lookup-too-large",
            )
        parts.append(frame.select(columns))
    key = lookup_key([pl.col(column) for column in lookup.key]).alias(LOOKUP_KEY)
    keyed = pl.concat(parts).with_columns(key).filter(pl.col(LOOKUP_KEY).is_not_null())
    duplicates = keyed.filter(pl.col(LOOKUP_KEY).is_duplicated())
    if duplicates.height:
        shown = "/".join(str(value) for value in duplicates.select(lookup.key).row(0))
        raise Unprocessable(f"The lookup {name} has several rows with the key {shown:.80}.", slug="lookup-key-twice")
    return keyed.select(LOOKUP_KEY, *lookup.columns).sort(LOOKUP_KEY)


def lookup_digest(rows: pl.DataFrame) -> str:
    """The digest of a lookup's rows: when it changes, the rows that were mapped with it have to be mapped again."""
    return hashlib.sha256(rows.write_csv(quote_style="necessary").encode()).hexdigest()
