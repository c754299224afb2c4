"""A report as an Excel workbook: a sheet of its facts and sentences, and one for each of its tables.

Cells are typed; sums are formulas, with their value beside them for what does not calculate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

from functions.reporting.domain.contents import (
    Column,
    DataTable,
    Figure,
    Kind,
    Pairs,
    Prose,
    Row,
    Section,
    Statements,
    Toned,
)
from functions.reporting.render.page import Page
from shared.problems import Unprocessable
from shared.tables.columns import ColumnKind
from shared.tables.xlsx_file import MAX_ROWS, CellWriter

_NUMBER_FORMATS: dict[Kind, str] = {
    Kind.COUNT: "#,##0",
    Kind.DOLLARS: "$#,##0.00",
    Kind.RATIO: "0.000",
    Kind.DECIMAL: "#,##0.0",
    Kind.PERCENT: '0.0"%"',
    Kind.COUNT_CHANGE: "+#,##0;-#,##0;0",
    Kind.DOLLAR_CHANGE: "+$#,##0.00;-$#,##0.00;$0.00",
    Kind.PERCENT_CHANGE: '+0.0"%";-0.0"%";0.0"%"',
    Kind.DAY: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
}
_CELL_KINDS: dict[Kind, ColumnKind] = {
    Kind.TEXT: ColumnKind.TEXT,
    Kind.COUNT: ColumnKind.INTEGER,
    Kind.YEAR: ColumnKind.INTEGER,
    Kind.COUNT_CHANGE: ColumnKind.INTEGER,
    Kind.DOLLARS: ColumnKind.DECIMAL,
    Kind.DOLLAR_CHANGE: ColumnKind.DECIMAL,
    Kind.DAY: ColumnKind.DATE,
    Kind.TIME: ColumnKind.TIME,
    Kind.FLAG: ColumnKind.BOOLEAN,
}
_WIDTHS = {Kind.TEXT: 26, Kind.TIME: 20, Kind.DOLLARS: 18, Kind.DOLLAR_CHANGE: 18}
_USUAL_WIDTH = 13
_SHEET_NAME = 31
"""Characters of a sheet's name (Excel specifications and limits)."""
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f']")


def write_workbook(page: Page) -> bytes:
    """The workbook of a report; the same page gives the same bytes. Rows are written as they are read."""
    content = BytesIO()
    with TemporaryDirectory() as folder:
        options = {"constant_memory": True, "tmpdir": folder}
        with Workbook(content, options) as workbook:
            workbook.set_properties(
                {"title": page.title, "company": page.county_name, "created": page.generated_at.replace(tzinfo=None)}
            )
            _SheetWriter(workbook).write(page)
    return content.getvalue()


@dataclass(frozen=True)
class _SheetColumn:
    """A column of a sheet; an interval has two, each with the position of its end in the pair."""

    title: str
    kind: Kind
    end: int | None
    is_summed: bool


class _SheetWriter:
    """Writes the sheets of a workbook."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._heading = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._title = workbook.add_format({"bold": True, "font_size": 14})
        self._part = workbook.add_format({"bold": True})
        self._wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        self._formats: dict[tuple[str, bool], Any] = {}
        self._names: set[str] = set()

    def write(self, page: Page) -> None:
        """Write every sheet."""
        tables = [
            (block, section.title)
            for section in page.contents.sections
            for block in section.blocks
            if isinstance(block, DataTable)
        ]
        self._write_summary(page)
        for table, section_title in tables:
            self._write_table(table, table.title or section_title)

    def _write_summary(self, page: Page) -> None:
        sheet = self._workbook.add_worksheet(self._name("Summary"))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 90)
        texts = CellWriter(sheet, self._wrapped)
        sheet.write_string(0, 0, page.title, self._title)
        line = 1
        approval = [] if page.approval is None else [("Approved by", page.approval.by), ("Approved", page.approved)]
        about = [("County", page.county_name), ("Generated", page.generated), ("Job", page.job_id)]
        for label, value in [*about, *approval, *page.contents.facts]:
            texts.text(line, 0, label)
            texts.text(line, 1, value)
            line += 1
        for section in page.contents.sections:
            lines = list(_lines(section))
            if not lines:
                continue
            line += 1
            CellWriter(sheet, self._part).text(line, 0, section.title)
            for label, value in lines:
                line += 1
                texts.text(line, 0, label)
                texts.text(line, 1, value)
            line += 1

    def _write_table(self, table: DataTable, name: str) -> None:
        columns = list(_sheet_columns(table.columns))
        sheet = self._workbook.add_worksheet(self._name(name))
        sheet.freeze_panes(1, 1)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _WIDTHS.get(column.kind, _USUAL_WIDTH))
        for number, column in enumerate(columns):
            CellWriter(sheet, self._heading).text(0, number, column.title)
        writers = [self._writer(sheet, column.kind) for column in columns]
        sums = {number: Decimal(0) for number, column in enumerate(columns) if column.is_summed}
        last = 0
        for last, row in enumerate(table.rows, start=1):
            if last >= MAX_ROWS - 1:  # one is the total's
                raise Unprocessable(
                    f"{name} has more than {MAX_ROWS:,} rows, which is as much as a sheet holds: take it as CSV.",
                    slug="sheet-too-long",
                )
            for number, cell in enumerate(_sheet_cells(table.columns, row)):
                self._write_cell(sheet, writers[number], last, number, cell)
                if number in sums and cell is not None:
                    sums[number] += Decimal(str(cell))
        if columns:
            sheet.autofilter(0, 0, last, len(columns) - 1)
        if last and (sums or table.total is not None):
            self._write_total(sheet, table, columns, last, sums)

    def _write_total(
        self, sheet: Any, table: DataTable, columns: Sequence[_SheetColumn], last: int, sums: dict[int, Decimal]
    ) -> None:
        """The row of totals: sums as formulas over the rows that are in sight, the other figures as they are."""
        given = [None] * len(columns) if table.total is None else list(_sheet_cells(table.columns, table.total))
        if given[0] is None:
            given[0] = "Total"
        for number, column in enumerate(columns):
            if number in sums:
                letter = xl_col_to_name(number)
                formula = f"=SUBTOTAL(109,{letter}2:{letter}{last + 1})"
                sheet.write_formula(
                    last + 1, number, formula, self._format(column.kind, bold=True), float(sums[number])
                )
            elif given[number] is not None:
                self._write_cell(
                    sheet, self._writer(sheet, column.kind, bold=True), last + 1, number, given[number], bold=True
                )

    def _write_cell(self, sheet: Any, write: Any, line: int, number: int, cell: Any, *, bold: bool = False) -> None:
        match cell:
            case None:
                return
            case Toned():
                CellWriter(sheet, self._format(Kind.TEXT, bold=bold)).text(line, number, cell.text)
            case Figure():
                if cell.value is not None:
                    self._writer(sheet, cell.kind, bold=bold)(line, number, cell.value)
            case _:
                write(line, number, cell)

    def _writer(self, sheet: Any, kind: Kind, *, bold: bool = False) -> Any:
        return CellWriter(sheet, self._format(kind, bold=bold)).of(_CELL_KINDS.get(kind, ColumnKind.FLOAT))

    def _format(self, kind: Kind, *, bold: bool = False) -> Any:
        number_format = _NUMBER_FORMATS.get(kind, "General")
        if (number_format, bold) not in self._formats:
            properties = {"num_format": number_format, "bold": bold, **({"top": 1} if bold else {})}
            self._formats[number_format, bold] = self._workbook.add_format(properties)
        return self._formats[number_format, bold]

    def _name(self, title: str) -> str:
        """A sheet's name: unlike any other, whatever the case of its letters."""
        plain = _NOT_IN_NAMES.sub(" ", title).strip()[:_SHEET_NAME] or "Sheet"
        name, number = plain, 1
        while name.lower() in self._names:
            number += 1
            name = f"{plain[: _SHEET_NAME - len(str(number)) - 1]} {number}"
        self._names.add(name.lower())
        return name


def _lines(section: Section) -> Iterator[tuple[str, str]]:
    for block in section.blocks:
        match block:
            case Statements(statements):
                yield from (("", statement.text) for statement in statements)
            case Prose(text):
                yield "", text
            case Pairs(pairs):
                yield from pairs


def _sheet_columns(columns: Sequence[Column]) -> Iterator[_SheetColumn]:
    for column in columns:
        if column.kind is Kind.INTERVAL:
            yield _SheetColumn(f"{column.title}, low", Kind.RATIO, 0, is_summed=False)
            yield _SheetColumn(f"{column.title}, high", Kind.RATIO, 1, is_summed=False)
        else:
            yield _SheetColumn(column.title, column.kind, None, column.is_summed)


def _sheet_cells(columns: Sequence[Column], row: Row) -> Iterator[Any]:
    for column, cell in zip(columns, row, strict=True):
        if column.kind is Kind.INTERVAL:
            pair = cell.value if isinstance(cell, Figure) else cell
            yield from (None, None) if pair is None else pair
        else:
            yield cell
