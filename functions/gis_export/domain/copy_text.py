"""PostgreSQL's COPY text, read a column at a time.

A row fetched through the driver costs twenty times as much: a county has a million of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.csv_export.tables import FORMULA_STARTS
from shared.layers.model import ColumnKind

NULL = b"\\N"

Cells = Sequence[bytes]
"""The values of a column, as COPY writes them."""

_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_FORMULA_STARTS = tuple(start.encode() for start in FORMULA_STARTS)
_NUMBER = re.compile(rb"-?[0-9]+([.][0-9]+)?")
"""A number in a text column: a negative one is no formula."""


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column in a block of rows.

    `known` marks those that are not null. `values` are numbers, days since 1970 or milliseconds since 1970, and for
    text the ends of each value in `data` after a leading zero.
    """

    known: NDArray[np.bool_]
    values: NDArray[Any]
    data: bytes = b""


def columns_of(block: bytes, number: int) -> list[Cells]:
    """The columns of a block of whole rows, of which each has this number."""
    cells = block.replace(b"\n", b"\t").split(b"\t")
    cells.pop()  # what follows the last newline
    return [cells[first::number] for first in range(number)]


def column_sql(kind: ColumnKind, expression: str, *, as_text: bool = False) -> str:
    """The SQL of a column as `values_of` reads it, or as ISO 8601 text."""
    finite = f"CASE WHEN isfinite({expression}) THEN {{}} END"
    match kind:
        case "real":
            return f"CAST({expression} AS double precision)"
        case "date" if as_text:
            return finite.format(f"to_char({expression}, 'YYYY-MM-DD')")
        case "date":
            return finite.format(f"{expression} - DATE '1970-01-01'")
        case "datetime" if as_text:
            return finite.format(f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""")
        case "datetime":
            return finite.format(f"CAST(floor(extract(epoch FROM {expression}) * 1000) AS bigint)")
        case _:
            return expression


def values_of(kind: ColumnKind, cells: Cells) -> ColumnValues:
    """A column's values. A real that is not finite is null: no format has one for it."""
    match kind:
        case "text":
            return texts_of(cells)
        case "real":
            known, cells = _nulls(cells, b"nan")
            reals = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
            return ColumnValues(known & np.isfinite(reals), reals)
        case "boolean":
            known, cells = _nulls(cells, b"f")
            return ColumnValues(known, np.fromiter((cell == b"t" for cell in cells), dtype=np.bool_, count=len(cells)))
        case _:
            known, cells = _nulls(cells, b"0")
            return ColumnValues(known, np.fromiter(map(int, cells), dtype=np.int64, count=len(cells)))


def texts_of(cells: Cells, change: Callable[[bytes], bytes] | None = None) -> ColumnValues:
    """A column's texts, each changed by `change`."""
    known, cells = _nulls(cells, b"")
    column = bytes_of(cells, known)
    if b"\\" not in column.data and change is None:
        return column
    plain = [unescaped(cell) for cell in cells]
    return bytes_of(plain if change is None else list(map(change, plain)), known)


def neutralized(text: bytes) -> bytes:
    """A text that no spreadsheet takes for a formula: an apostrophe stands in front of what would be one."""
    is_formula = text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text)
    return b"'" + text if is_formula else text


def unescaped(cell: bytes) -> bytes:
    """A text cell's value: COPY escapes control characters and the backslash."""
    if b"\\" not in cell:
        return cell
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), cell)


def bytes_of(cells: Cells, known: NDArray[np.bool_]) -> ColumnValues:
    """Texts or binary values as they are, as a column."""
    ends = np.zeros(len(cells) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, cells), dtype=np.int32, count=len(cells)), out=ends[1:])
    return ColumnValues(known, ends, b"".join(cells))


def _nulls(cells: Cells, replacement: bytes) -> tuple[NDArray[np.bool_], Cells]:
    """Which values are not null, and the cells with a replacement for those that are."""
    if NULL not in cells:
        return np.ones(len(cells), dtype=np.bool_), cells
    known = np.fromiter((cell != NULL for cell in cells), dtype=np.bool_, count=len(cells))
    return known, [replacement if cell == NULL else cell for cell in cells]
