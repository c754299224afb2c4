"""PostgreSQL's COPY text, read a column at a time.

A row fetched through the driver costs twenty times as much: a county has a million of them.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functions.gis_export.domain.layers import Kind

NULL = "\\N"

Values = NDArray[Any]

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class BlockStream:
    """Stream that COPY TO writes to: hands on whole rows in blocks of at most `rows` rows and about `size` bytes."""

    def __init__(self, take: Callable[[bytes], None], rows: int, size: int) -> None:
        self._take = take
        self._most_rows = rows
        self._most_bytes = size
        self._rows: list[bytes] = []
        self._bytes = 0

    def write(self, row: bytes) -> None:
        """Take one row (PostgreSQL sends each in a message of its own)."""
        self._rows.append(row)
        self._bytes += len(row)
        if len(self._rows) >= self._most_rows or self._bytes >= self._most_bytes:
            self.flush()

    def flush(self) -> None:
        """Hand on what is held."""
        if self._rows:
            block, self._rows, self._bytes = b"".join(self._rows), [], 0
            self._take(block)


def fields_of(block: bytes) -> list[tuple[str, ...]]:
    """The columns of a block of rows, still in COPY's text form."""
    rows = block.decode().split("\n")
    rows.pop()  # what follows the last newline
    return list(zip(*[row.split("\t") for row in rows], strict=True))


def values_of(kind: Kind, fields: Sequence[str]) -> tuple[Values, NDArray[np.bool_] | None]:
    """A column as an array GDAL takes, and which of its values are missing where the array cannot say so itself."""
    match kind:
        case "text":
            return np.array([text_of(field) for field in fields], dtype=object), None
        case "integer":
            missing = np.array([field == NULL for field in fields], dtype=np.bool_)
            return np.array([0 if field == NULL else int(field) for field in fields], dtype=np.int32), missing
        case "real":
            return np.fromiter(map(float, fields), dtype=np.float64, count=len(fields)), None
        case "date" | "datetime":
            unit = "D" if kind == "date" else "ms"
            known = ["NaT" if field == NULL else field for field in fields]
            return np.array(known, dtype=f"datetime64[{unit}]"), None


def text_of(field: str) -> str | None:
    """A text field's value: COPY escapes control characters and the backslash."""
    if "\\" not in field:
        return field
    if field == NULL:
        return None
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), field)
