"""A text of fixed width for the import of a county's system."""

import re
from collections.abc import Iterable
from pathlib import Path

from functions.write_back.writers.rows import WrittenRow, require_encodable
from shared.mapping.language.write_back import WriteBack
from shared.problems import Unprocessable

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def write_fixed_width(write_back: WriteBack, rows: Iterable[WrittenRow], path: Path) -> None:
    """Write a line a row: numbers at the right of their place, texts at its left, NULL as blanks.

    Raises Unprocessable for a text that is longer than its place, or that would end the line.
    """
    with path.open("w", encoding=write_back.encoding, newline="") as file:
        for row in rows:
            file.write(_line(row, write_back.encoding) + "\r\n")


def _line(row: WrittenRow, encoding: str) -> str:
    places = row.table.positions
    line = [" "] * max(place.end for place in places.values())
    for column, text in row.cells.items():
        place, value = places[column], text or ""
        require_encodable(value, encoding, row)
        if len(value) > place.length or _CONTROL.search(value):
            raise Unprocessable(
                f"{column} of the row {row.label} does not fit into {place.length} characters of one line.",
                slug="write-back-value-too-long",
            )
        fitted = value.rjust(place.length) if row.table.type_of(column) == "number" else value.ljust(place.length)
        line[place.start - 1 : place.end] = fitted
    return "".join(line)
