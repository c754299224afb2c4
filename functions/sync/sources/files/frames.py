"""What readers of whole files share: rows made frames, and what is said of a file that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shared.problems import Unprocessable

if TYPE_CHECKING:
    import polars as pl

MAX_QUOTED = 200
"""Characters of a library's own words that a message repeats."""


def frames_of(rows: Iterator[Sequence[str | None]], columns: Sequence[str], at_once: int) -> Iterator[pl.DataFrame]:
    """Rows of texts as frames; an empty table has one frame without rows, so that its columns are known."""
    import polars as pl

    schema = dict.fromkeys(columns, pl.String)
    gathered: list[Sequence[str | None]] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == at_once:
            yield pl.DataFrame(gathered, schema=schema, orient="row")
            gathered = []
    if gathered:
        yield pl.DataFrame(gathered, schema=schema, orient="row")


def unreadable_file(file: str, what: str, why: object, advice: str = "") -> Unprocessable:
    """The problem of a file that is not what its format says."""
    said = " ".join(str(why).split()) or type(why).__name__
    more = f" {advice}" if advice else ""
    return Unprocessable(f"{file} is no {what} that can be read: {said[:MAX_QUOTED]}.{more}", slug="file-unreadable")
