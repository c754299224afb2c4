"""Rows of a database as frames of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult

from functions.sync.sources.source import Extract
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


def fetched(result: CursorResult[Any], columns: Sequence[str]) -> Extract:
    """All rows of a result."""
    import polars as pl

    parts = list(fetched_parts(result, columns, _FETCH_ROWS))
    return extract_of(pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))


def fetched_parts(result: CursorResult[Any], columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """The rows of a result, some at a time."""
    import polars as pl

    for part in result.partitions(rows):
        texts = [[as_text(value) for value in column] for column in zip(*part, strict=True)]
        yield pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="col")


def extract_of(frame: pl.DataFrame) -> Extract:
    """A frame of texts as an extract; NULL and the empty text differ in the digest."""
    digest = hashlib.sha256(frame.write_csv(quote_style="necessary").encode()).hexdigest()
    return Extract(frame.height, digest, lambda: frame)


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, lambda value: value.replace("\x00", "")),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(" ")),
    (date, date.isoformat),
    (time, time.isoformat),
    (bytes, bytes.hex),
)


def as_text(value: object) -> str | None:
    """A driver's value as the text that mappings read."""
    if value is None:
        return None
    for type_, write in _WRITERS:
        if isinstance(value, type_):
            return write(value)
    return repr(value) if isinstance(value, float) else str(value)
