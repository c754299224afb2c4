"""Tables in memory, and their CSV (RFC 4180), safe from formula injection."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

CSV = "text/csv; charset=utf-8"
"""The media type of the files that this module and `shared.csv_export.query` write. Nothing else exports CSV."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters of a formula (OWASP, CSV Injection), in full width too."""


@dataclass(frozen=True)
class Table:
    """One table: a header and its rows, which are passed over once."""

    header: Sequence[str]
    rows: Iterable[Sequence[Any]]


def to_csv(table: Table) -> bytes:
    """The table in UTF-8, lines ended by CRLF, the header first. Missing values are empty.

    A text that a spreadsheet would take for a formula is given an apostrophe in front; numbers are left alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutralized(name) for name in table.header])
    writer.writerows(map(cells, table.rows))
    return text.getvalue().encode()


def cells(row: Iterable[Any]) -> list[str]:
    """The cells of a row. Missing values are empty; a text that would be a formula is neutralized."""
    return [_cell(value) for value in row]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case date():
            return value.isoformat()
        case _:
            return neutralized(str(value))


def neutralized(text: str) -> str:
    """A text as a cell that no spreadsheet evaluates: with an apostrophe in front where it would be a formula."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text
