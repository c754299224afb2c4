"""Tables, and CSV (RFC 4180) of them that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """One table: a header and its rows."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def to_csv(table: Table) -> bytes:
    """The table in UTF-8, lines ended by CRLF, the header first. Missing values are empty.

    A text that a spreadsheet would take for a formula is given an apostrophe in front (OWASP, CSV Injection);
    numbers are left alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.header)
    writer.writerows(_cells(row) for row in table.rows)
    return text.getvalue().encode()


def _cells(row: Iterable[Any]) -> list[str]:
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
            return _harmless(str(value))


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
