"""Excel workbooks of a table: typed cells below a heading that stays in sight."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from shared.tables.columns import Column, ColumnKind, Row

_FIRST_DAY = date(1900, 3, 1)
"""Before it Excel counts a day that never was (29 February 1900), and before 1900 it knows no dates."""
MAX_TEXT = 32_767
"""Characters of a cell (Excel specifications and limits)."""
MAX_EXACT = 10**15
"""Excel's numbers have 15 digits; a longer one is a text."""
MAX_ROWS = 1_048_576
"""Rows of a sheet (Excel specifications and limits)."""
_CUT = "... (cut: an Excel cell holds no more)"
_WIDTHS = {ColumnKind.TEXT: 24, ColumnKind.TIME: 20}
"""Characters; another column has Excel's usual width, in which a date or an amount fits. A choice."""
_USUAL_WIDTH = 12


def write_xlsx(columns: Sequence[Column], rows: Iterable[Row], path: Path) -> None:
    """Write one sheet, row by row, without holding it. A text is never a formula: its cell is of the type text."""
    from xlsxwriter import Workbook  # a list is seldom asked for as a workbook

    with Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)}) as workbook:
        sheet = workbook.add_worksheet("List")
        heading = workbook.add_format({"bold": True, "bottom": 1})
        formats = {
            ColumnKind.DECIMAL: workbook.add_format({"num_format": "#,##0.00"}),
            ColumnKind.DATE: workbook.add_format({"num_format": "yyyy-mm-dd"}),
            ColumnKind.TIME: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet.freeze_panes(1, 0)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _WIDTHS.get(column.kind, _USUAL_WIDTH))
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.name, heading)
        writers = [CellWriter(sheet, formats.get(column.kind)).of(column.kind) for column in columns]
        last = 0
        for last, row in enumerate(rows, start=1):
            for number, value in enumerate(row):
                if value is not None:
                    writers[number](last, number, value)
        if columns:
            sheet.autofilter(0, 0, last, len(columns) - 1)


@dataclass(frozen=True)
class CellWriter:
    """Writes values of one kind of column into its cells: row, column, value."""

    sheet: Any
    cell_format: Any = None

    def of(self, kind: ColumnKind) -> Callable[[int, int, Any], Any]:
        """The writer of values of a kind."""
        writers: dict[ColumnKind, Callable[[int, int, Any], Any]] = {
            ColumnKind.TEXT: self.text,
            ColumnKind.BOOLEAN: self.sheet.write_boolean,
            ColumnKind.DATE: self.day,
            ColumnKind.TIME: self.time,
            ColumnKind.FLOAT: self.measure,
        }
        return writers.get(kind, self.number)

    def text(self, row: int, column: int, value: str) -> None:
        """A text, which no spreadsheet evaluates."""
        whole = len(value) <= MAX_TEXT
        shortened = value if whole else value[: MAX_TEXT - len(_CUT)] + _CUT
        self.sheet.write_string(row, column, shortened, self.cell_format)

    def number(self, row: int, column: int, value: Any) -> None:
        """A whole number or an amount; one of more digits than Excel's is a text."""
        if abs(value) >= MAX_EXACT:
            self.text(row, column, str(value))
        else:
            self.sheet.write_number(row, column, float(value), self.cell_format)

    def measure(self, row: int, column: int, value: float) -> None:
        """A measure; what is none (NaN) is an empty cell."""
        if math.isfinite(value):
            self.sheet.write_number(row, column, value, self.cell_format)

    def day(self, row: int, column: int, value: date) -> None:
        """A day; one before Excel's calendar is a text."""
        if value < _FIRST_DAY:
            self.text(row, column, value.isoformat())
        else:
            self.sheet.write_datetime(row, column, value, self.cell_format)

    def time(self, row: int, column: int, value: datetime) -> None:
        """A time in UTC, which Excel knows without its offset."""
        if value.date() < _FIRST_DAY:
            self.text(row, column, value.isoformat())
        else:
            self.sheet.write_datetime(row, column, value.replace(tzinfo=None), self.cell_format)
