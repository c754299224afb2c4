"""Helpers of the file readers: frames of rows, and the problem of an unreadable file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from shared.problems import Unprocessable

MAX_QUOTED = 200
"""Characters of a library's message that a problem quotes. A choice: two lines."""


def frames_of(rows: Iterator[Sequence[str | None]], columns: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Rows of text as frames of at most `batch_rows` rows."""
    schema = dict.fromkeys(columns, pl.String)
    gathered: list[Sequence[str | None]] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == batch_rows:
            yield pl.DataFrame(gathered, schema=schema, orient="row")
            gathered = []
    if gathered:
        yield pl.DataFrame(gathered, schema=schema, orient="row")


def unreadable_file(file: str, what: str, why: object, advice: str = "") -> Unprocessable:
    """The problem of a file that cannot be read in its format."""
    message = " ".join(str(why).split()) or type(why).__name__
    suffix = f" {advice}" if advice else ""
    return Unprocessable(
        f"{file} is no {what} that can be read: {message[:MAX_QUOTED]}.{suffix}", slug="file-unreadable"
    )
