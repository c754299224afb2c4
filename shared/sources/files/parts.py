"""Files that cannot be read from the middle (workbooks, Parquet): read once and stored as parts, one a range."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import polars as pl

from shared import storage
from shared.counties.source_description import ParquetFile, XlsxFile
from shared.problems import NotFound, Unprocessable
from shared.sources.files.file_index import FileFolder, FileIndex
from shared.sources.source import Extract, Sample
from shared.sources.text_values import to_extract
from shared.storage import StoredObject

MAX_SAMPLED_BYTES = 200 << 20
"""Largest file in bytes that a preview downloads whole. A choice: some seconds of its 20."""

PartedFile = XlsxFile | ParquetFile


class LocalTable(Protocol):
    """A local file read as a table. Raises Unprocessable where it is not of its format."""

    def columns(self) -> dict[str, str]:
        """The columns with their types, as the format declares them, or as the rows read so far show them."""
        ...

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        """All rows in order, in frames of `rows` (fewer in the last), every column as String."""
        ...


class PartsReader:
    """Reader of a file by its parts; the file itself is downloaded for its columns, for cutting and for a sample
    only.
    """

    def __init__(self, file: StoredObject, folder: FileFolder, description: PartedFile) -> None:
        self._file = file
        self._folder = folder
        self._format = description
        self.typed_by_rows = isinstance(description, XlsxFile)

    def columns(self) -> dict[str, str]:
        return self._table.columns()

    def index(self, rows: int) -> FileIndex:
        count, number = 0, -1
        for number, frame in enumerate(self._table.frames(rows)):
            buffer = io.BytesIO()
            frame.write_parquet(buffer, compression="zstd", compression_level=1)
            storage.put(self._folder.part_key(number), buffer.getvalue(), "application/vnd.apache.parquet")
            count += frame.height
        ends = [rows * (part + 1) for part in range(number)]
        return FileIndex(rows=count, rows_a_range=rows, ends=ends, columns=self._table.columns())

    def sample(self, rows: int) -> Sample:
        if self._file.size > MAX_SAMPLED_BYTES:
            raise Unprocessable(
                f"{self._format.file} is too large ({self._file.size >> 20} MB) to be looked into; start a sync with"
                " validate_only, or give rows.",
                slug="file-too-large",
            )
        empty = pl.DataFrame(schema=dict.fromkeys(self.columns(), pl.String))
        return Sample(next(self._table.frames(rows), empty), self.columns())

    def read(self, columns: Sequence[str], start: int | None, end: int | None) -> Extract:
        index = self._folder.index()
        if index is None:
            raise NotFound(f"{self._format.file} has not been cut.", slug="object-not-found")
        first = (start or 0) // index.rows_a_range
        last = -(-(index.rows if end is None else end) // index.rows_a_range)
        parts = [pl.read_parquet(io.BytesIO(storage.get(self._folder.part_key(n)))) for n in range(first, last)]
        empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        return to_extract(pl.concat(parts, how="diagonal") if parts else empty)

    @cached_property
    def _table(self) -> LocalTable:
        path = Path(self._directory.name) / "source"
        self._file.download(path)
        return _table(path, self._format)

    @cached_property
    def _directory(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="terrafusion-source-")


def _table(path: Path, description: PartedFile) -> LocalTable:
    match description:
        case XlsxFile():
            from shared.sources.files.xlsx import Workbook

            return Workbook(path, description)
        case ParquetFile():
            from shared.sources.files.parquet import ParquetTable

            return ParquetTable(path, description)
