"""Rows of a database as frames of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult

from functions.sync.sources.source import Extract
from functions.sync.sources.texts import as_text, extract_of
from shared.db.copying import copy_out

if TYPE_CHECKING:
    import polars as pl

_FETCH_ROWS = 5_000


def copied(connection: Connection, query: str) -> Extract:
    """PostgreSQL's COPY. Its text is the digest's: it changes exactly when a value does."""
    text, rows = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    digest = hashlib.sha256(text).hexdigest()

    def frame() -> pl.DataFrame:
        import polars as pl

        return pl.read_csv(text, infer_schema=False)

    return Extract(rows, digest, frame)


def fetched(result: CursorResult[Any]) -> Extract:
    """All rows of a result."""
    import polars as pl

    columns = list(result.keys())
    parts = list(fetched_parts(result, _FETCH_ROWS))
    return extract_of(pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))


def fetched_parts(result: CursorResult[Any], rows: int) -> Iterator[pl.DataFrame]:
    """The rows of a result, some at a time."""
    import polars as pl

    columns = list(result.keys())
    for part in result.partitions(rows):
        texts = [[as_text(value) for value in column] for column in zip(*part, strict=True)]
        yield pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="col")
