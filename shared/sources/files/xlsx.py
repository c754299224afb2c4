"""Sheets of Excel workbooks as tables."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

import polars as pl

from shared.counties.source_description import XlsxFile
from shared.mapping import READ_FAULT, VALUE_FAULTS, value_fault
from shared.problems import Unprocessable
from shared.sources.files.frames import frames_of, unreadable_file
from shared.sources.files.xlsx_cells import Cell, CellContext, Row, SheetReader, column_letters
from shared.sources.files.xlsx_package import Package, Tab

MAX_UNPACKED_BYTES = 4 << 30
MAX_SHARED_TEXT_BYTES = 128 << 20
"""Largest unpacked size of a workbook, and of its shared texts, which are held in memory. Choices: within the
function's scratch space (8 GB) and its memory (1,769 MB)."""

_DAMAGE_ERRORS = (
    *(BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, struct.error),
    *(ParseError, ExpatError, LookupError, ValueError, OverflowError),
)
"""Errors that zipfile, expat and our parsing raise for damaged workbooks."""
_OLE, _ZIP = b"\xd0\xcf\x11\xe0", b"PK"
_OTHER_PACKAGES = {
    "xl/workbook.bin": "it is a binary one (.xlsb)",
    "content.xml": "it is of OpenDocument (.ods)",
    "word/document.xml": "it is a document of Word",
}
_SAVE_AGAIN = "Open it and save it as .xlsx without a password, or send it as CSV."
_MIXED = "cell"


class Workbook:
    """A sheet as text: numbers and dates formatted, formulas by their saved values. Empty rows are skipped; a row with
    a value beyond the last named column has a READ_FAULT; errors, and formulas that were never calculated, are faults
    of their cells.
    """

    def __init__(self, path: Path, description: XlsxFile) -> None:
        self._path = path
        self._format = description
        self._position = ""
        self._require_readable()
        self._names: list[str] = []
        self._kinds: dict[str, str] = {}
        with self._sheet():
            pass

    def columns(self) -> dict[str, str]:
        """The columns; once the rows are read, those that hold numbers only have the type `number`."""
        kinds = {name: self._kinds.get(name, _MIXED) for name in self._names}
        return {**kinds, READ_FAULT: "fault", VALUE_FAULTS: "fault"}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        self._kinds = {}
        with self._sheet() as sheet_rows:
            yield from frames_of(map(self._to_texts, sheet_rows), [*self._names, READ_FAULT, VALUE_FAULTS], rows)

    def _to_texts(self, row: Row) -> Sequence[str | None]:
        width = len(self._names)
        texts: list[str | None] = [None] * width
        faults, stray = [], None
        for column, cell in row.cells.items():
            if column >= width:
                stray = stray or f"the row has a value beyond the last named column: {cell.text or cell.fault:.80}"
                continue
            name = self._names[column]
            texts[column] = cell.text
            if cell.fault is not None:
                faults.append(value_fault(name, f"cell {column_letters(column)}{row.number} {cell.fault}"))
            elif cell.text is not None:
                kind = "number" if cell.number else _MIXED
                self._kinds[name] = kind if self._kinds.get(name, kind) == kind else _MIXED
        return [*texts, stray, "\n".join(faults) or None]

    @contextmanager
    def _sheet(self) -> Iterator[Iterator[Row]]:
        """The rows below the header; the names of the columns are known inside the block."""
        self._position = ""
        try:
            with ZipFile(self._path) as archive:
                package = Package(archive)
                meaning = CellContext(package.texts(), package.styles(), package.from_1904, package.recalculates)
                with ExitStack() as opened:
                    yield self._below_header(package, meaning, opened)
        except _DAMAGE_ERRORS as error:
            raise self._damaged(error) from None

    def _below_header(self, package: Package, meaning: CellContext, opened: ExitStack) -> Iterator[Row]:
        tabs = self._tabs(package)
        for tab in tabs:
            content = opened.enter_context(package.open(tab.part or ""))
            rows = self._rows_of(tab, SheetReader(content, meaning))
            header = next((row for row in rows if row.number >= self._format.header_line), None)
            if header is not None and header.number == self._format.header_line and header.cells:
                self._names = self._header(header)
                return (row for row in rows if row.cells)
        raise Unprocessable(
            f"{self._format.file} has no names of columns in line {self._format.header_line} of"
            f" {' or '.join(tab.name for tab in tabs)}; say where they stand (sheet, header_line).",
            slug="file-empty",
        )

    def _rows_of(self, tab: Tab, reader: SheetReader) -> Iterator[Row]:
        """The rows of a tab; an error is located at the last row begun."""
        try:
            yield from reader
        except _DAMAGE_ERRORS:
            self._position = f" (sheet {tab.name}, row {max(1, reader.row)})"
            raise

    def _tabs(self, package: Package) -> list[Tab]:
        """The sheets in which a header is looked for: the configured one, or the visible ones."""
        sheets = [tab for tab in package.tabs if tab.part is not None]
        if self._format.sheet is None:
            selected = [tab for tab in sheets if not tab.hidden] or sheets
        else:
            selected = [tab for tab in sheets if tab.name == self._format.sheet]
        if not selected:
            missing = f"sheet {self._format.sheet}" if self._format.sheet else "sheet with cells"
            tabs = ", ".join(tab.name if tab.part else f"{tab.name} (a chart)" for tab in package.tabs) or "none"
            raise Unprocessable(
                f"{self._format.file} has no {missing}; it has: {tabs}. Name one in its description (sheet).",
                slug="source-table-missing",
            )
        return selected

    def _header(self, header: Row) -> list[str]:
        last = max(header.cells)
        cells = [header.cells.get(column, Cell(None)) for column in range(last + 1)]
        faulty = next((column for column, cell in enumerate(cells) if cell.fault), None)
        if faulty is not None:
            address = f"{column_letters(faulty)}{header.number}"
            raise Unprocessable(
                f"{self._format.file}: the name of a column in cell {address} {cells[faulty].fault}.",
                slug="file-malformed",
            )
        names = [(cell.text or "").strip() or f"column_{number}" for number, cell in enumerate(cells, start=1)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise Unprocessable(
                f"{self._format.file} has two columns named {', '.join(repeated)}.", slug="file-columns-repeated"
            )
        return names

    def _require_readable(self) -> None:
        """Raise Unprocessable for a file that is not a workbook, or that unpacks to more than the limits."""
        with self._path.open("rb") as file:
            beginning = file.read(512)
        if not beginning.startswith(_ZIP):
            raise unreadable_file(self._format.file, "workbook (XLSX)", _describe_content(beginning), _SAVE_AGAIN)
        try:
            with ZipFile(self._path) as archive:
                sizes = {info.filename.lower(): info.file_size for info in archive.infolist()}
                other = next((name for part, name in _OTHER_PACKAGES.items() if part in sizes), None)
        except _DAMAGE_ERRORS as error:
            raise self._damaged(error) from None
        if other is not None:
            raise unreadable_file(self._format.file, "workbook (XLSX)", other, _SAVE_AGAIN)
        texts = sizes.get("xl/sharedstrings.xml", 0)
        if texts > MAX_SHARED_TEXT_BYTES or sum(sizes.values()) > MAX_UNPACKED_BYTES:
            raise Unprocessable(
                f"{self._format.file} unpacks to {sum(sizes.values()) >> 20} MB ({texts >> 20} MB of texts);"
                f" {MAX_UNPACKED_BYTES >> 20} ({MAX_SHARED_TEXT_BYTES >> 20}) are read. Send it as CSV.",
                slug="file-too-large",
            )

    def _damaged(self, error: Exception) -> Unprocessable:
        reason = (
            "a password protects it" if "encrypted" in str(error) else f"it is damaged: {error or type(error).__name__}"
        )
        return unreadable_file(f"{self._format.file}{self._position}", "workbook (XLSX)", reason, _SAVE_AGAIN)


def _describe_content(beginning: bytes) -> str:
    if beginning.startswith(_OLE):
        return "it is one of Excel 97 to 2003 (.xls), or a password protects it"
    if beginning.lstrip().lower().startswith((b"<html", b"<!doctype", b"<table")):
        return "it is a page of HTML"
    return f"it begins like {beginning[:20]!r}" if beginning else "it is empty"
