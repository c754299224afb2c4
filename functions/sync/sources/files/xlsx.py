"""Sheets of Excel workbooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from functions.sync.sources.files.parts import framed, unreadable
from functions.sync.sources.texts import as_text
from shared.mapping import READ_FAULT
from shared.problems import Unprocessable
from shared.source_description import XlsxFile

if TYPE_CHECKING:
    import polars as pl


LARGEST = 4 << 30
LARGEST_TEXTS = 128 << 20
"""Bytes, unpacked, of a workbook and of its table of texts."""


class Workbook:
    """A sheet: numbers and dates as texts, formulas by the value that Excel last saved. Rows without a value are
    none; a row with a value beyond the last named column is rejected.
    """

    def __init__(self, path: Path, description: XlsxFile) -> None:
        self._path = path
        self._format = description
        self._require_bearable()
        with self._sheet() as rows:
            self._names = _names(next(rows, ()), description)

    def columns(self) -> dict[str, str]:
        return {**dict.fromkeys(self._names, "cell"), READ_FAULT: "fault"}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        with self._sheet() as found:
            next(found, None)
            yield from framed(self._rows(found), [*self._names, READ_FAULT], rows)

    def _rows(self, found: Iterator[tuple[Any, ...]]) -> Iterator[Sequence[str | None]]:
        width = len(self._names)
        for values in found:
            texts = [_written(value) for value in values]
            if not any(text is not None for text in texts):
                continue
            beyond = next((text for text in texts[width:] if text is not None), None)
            fault = f"the row has a value beyond the last named column: {beyond:.80}" if beyond is not None else None
            yield [*texts[:width], *[None] * (width - len(texts)), fault]

    def _require_bearable(self) -> None:
        """Raise Unprocessable for a workbook that unpacks to more than can be held: its shared texts are held whole."""
        try:
            with ZipFile(self._path) as archive:
                sizes = {info.filename: info.file_size for info in archive.infolist()}
        except (BadZipFile, OSError) as error:
            raise unreadable(self._format.file, "workbook (XLSX)", error) from None
        texts = sizes.get("xl/sharedStrings.xml", 0)
        if texts > LARGEST_TEXTS or sum(sizes.values()) > LARGEST:
            raise Unprocessable(
                f"{self._format.file} unpacks to {sum(sizes.values()) >> 20} MB ({texts >> 20} MB of texts);"
                f" {LARGEST >> 20} ({LARGEST_TEXTS >> 20}) are read. Send it as CSV.",
                slug="file-too-large",
            )

    @contextmanager
    def _sheet(self) -> Iterator[Iterator[tuple[Any, ...]]]:
        """The sheet's rows from the header on."""
        from openpyxl import load_workbook

        try:
            book = load_workbook(self._path.open("rb"), read_only=True, data_only=True)
        except (BadZipFile, KeyError, ValueError, OSError) as error:
            raise unreadable(self._format.file, "workbook (XLSX)", error) from None
        try:
            name = self._format.sheet or book.sheetnames[0]
            if name not in book.sheetnames:
                sheets = ", ".join(book.sheetnames)
                raise Unprocessable(
                    f"{self._format.file} has no sheet {name}; it has: {sheets}.", slug="source-table-missing"
                )
            sheet = book[name]
            sheet.reset_dimensions()  # programs write wrong ones
            yield iter(sheet.iter_rows(min_row=self._format.header_line, values_only=True))
        finally:
            book.close()


def _names(header: Sequence[Any], description: XlsxFile) -> list[str]:
    texts = [_written(value) for value in header]
    while texts and texts[-1] is None:
        texts.pop()
    if not texts:
        raise Unprocessable(
            f"{description.file} has no names of columns in line {description.header_line}.", slug="file-empty"
        )
    names = [(text or "").strip() or f"column_{number}" for number, text in enumerate(texts, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unprocessable(f"{description.file} has two columns named {', '.join(twice)}.", slug="file-columns-twice")
    return names


def _written(value: object) -> str | None:
    """A cell's text; every number is a float to Excel, so a whole one is written without decimals."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = as_text(value)
    return None if text is None or not text.strip() else text
