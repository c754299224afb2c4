"""Rows of a database as text frames."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, CursorResult

from shared.db.copying import copy_out
from shared.mapping import value_fault
from shared.sources.source import Extract
from shared.sources.sql.dialects import Dialect
from shared.sources.text_values import as_text, plain_number, to_extract, with_value_faults

_FETCH_ROWS = 5_000
"""Rows fetched at a time. A choice: some megabytes of Python objects."""
_FLOAT = re.compile(r"real|double precision|float[48]?", re.I)
_REPLACED = "\ufffd"


def copy_extract(connection: Connection, query: str, types: Mapping[str, str]) -> Extract:
    """The rows of a query by PostgreSQL's COPY; the digest is that of its output, which changes exactly when a value
    does.
    """
    text, rows = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    digest = hashlib.sha256(text).hexdigest()
    floats = [name for name, type_ in types.items() if _FLOAT.fullmatch(type_)]
    return Extract(rows, digest, lambda: _read(text, floats))


def _read(text: bytes, floats: list[str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(text, infer_schema=False)
    except pl.exceptions.ComputeError:  # a database with the encoding SQL_ASCII returns bytes as they were stored
        frame = _without_broken_texts(pl.read_csv(text, infer_schema=False, encoding="utf8-lossy"))
    float_columns = [name for name in floats if name in frame.columns]
    large = frame.select(pl.col(float_columns).str.contains("e", literal=True).any())
    return frame.with_columns(
        pl.Series(name, [text and plain_number(text) for text in frame[name].to_list()], dtype=pl.String)
        for name in float_columns
        if large[name][0]
    )


def _without_broken_texts(frame: pl.DataFrame) -> pl.DataFrame:
    faults: list[list[str]] = [[] for _ in range(frame.height)]
    for name in frame.columns:
        broken = frame.with_row_index("row").filter(pl.col(name).str.contains(_REPLACED, literal=True))
        for row, text in broken.select("row", name).iter_rows():
            faults[row].append(value_fault(name, f"{name} holds bytes that are no UTF-8: {text[:80]!r}"))
    whole = frame.select(pl.when(~pl.all().str.contains(_REPLACED, literal=True)).then(pl.all()).name.keep())
    return with_value_faults(whole, faults)


def fetch_extract(result: CursorResult[Any], dialect: Dialect) -> Extract:
    """All rows of a result, as an extract."""
    columns = list(result.keys())
    parts = list(fetch_frames(result, _FETCH_ROWS, dialect))
    return to_extract(pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))


def fetch_frames(result: CursorResult[Any], rows: int, dialect: Dialect) -> Iterator[pl.DataFrame]:
    """The rows of a result, in frames of at most `rows`."""
    columns = list(result.keys())
    described = result.cursor.description if result.cursor is not None else []
    converters = [dialect.converter(column) or (lambda value: value) for column in described]
    for part in result.partitions(rows):
        texts = [
            [as_text(convert(value)) for value in column]
            for convert, column in zip(converters, zip(*part, strict=True), strict=True)
        ]
        yield pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="col")
