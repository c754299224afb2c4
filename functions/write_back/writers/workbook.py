"""A workbook for the import of a county's system."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from functions.write_back.writers.rows import WrittenRow
from shared.mapping.language.write_back import WriteBack
from shared.tables.columns import Column, ColumnKind, Row
from shared.tables.xlsx_file import write_xlsx


def write_workbook(write_back: WriteBack, rows: Iterable[WrittenRow], path: Path) -> None:  # noqa: ARG001 - a Writer
    """Write a sheet of text cells: the texts that the system's columns have, leading zeros included."""
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        write_xlsx((), (), path)
        return
    columns = [Column(name, ColumnKind.TEXT, (name,)) for name in first.cells]
    write_xlsx(columns, _values(chain([first], remaining)), path)


def _values(rows: Iterable[WrittenRow]) -> Iterator[Row]:
    return (list(row.cells.values()) for row in rows)
