"""The rows of a lookup, as `lookup` finds them: small tables of the source, read whole and once a run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import polars as pl

from shared.mapping.language.model import LookupTable
from shared.mapping.transformations.codes import LOOKUP_KEY, lookup_key
from shared.problems import Unprocessable

MAX_LOOKUP_ROWS = 500_000
"""A lookup is held whole by each partition while it is mapped: some 60 MB at this size."""


def prepared(name: str, lookup: LookupTable, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of a lookup (all columns String): its columns, and their key. Rows without a key are left out.

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
    found = pl.concat(parts).with_columns(key).filter(pl.col(LOOKUP_KEY).is_not_null())
    twice = found.filter(pl.col(LOOKUP_KEY).is_duplicated())
    if twice.height:
        said = "/".join(str(value) for value in twice.select(lookup.key).row(0))
        raise Unprocessable(f"The lookup {name} has several rows with the key {said:.80}.", slug="lookup-key-twice")
    return found.select(LOOKUP_KEY, *lookup.columns).sort(LOOKUP_KEY)


def lookup_digest(rows: pl.DataFrame) -> str:
    """Of the content of a prepared lookup: what is mapped with it has to be mapped anew when it changes."""
    return hashlib.sha256(rows.write_csv(quote_style="necessary").encode()).hexdigest()
