"""Files as a source: CSV and fixed width are read in place, other formats from parts that are made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import polars as pl

from shared import storage
from shared.contracts.source_rows import Key
from shared.counties.source_description import (
    CsvFile,
    FilesDescription,
    FixedWidthFile,
    GeographicFile,
    ParquetFile,
    XlsxFile,
)
from shared.mapping import ROW_NUMBER
from shared.problems import Conflict, NotFound, SourceRefused
from shared.sources.files.compressed import unpack
from shared.sources.files.file_index import FileFolder, FileIndex
from shared.sources.files.geographic.folder import folder_of
from shared.sources.files.geographic.reader import GeographicReader, Sampler
from shared.sources.source import (
    Ability,
    Capabilities,
    Extract,
    KeyRange,
    Sample,
    SourceTable,
    TableSchema,
    WithoutChangeTracking,
    table_description,
)
from shared.storage import StoredObject, county_key

DEFAULT_RANGE_ROWS = 50_000
"""Rows of a range where no run has cut the file yet; those of a partition."""
_MISSING_ABILITIES = {
    Ability.QUERY: "a file cannot be queried: name it with source_table_name",
    Ability.KEY_RANGES: "a file is cut by places, which a new file does not share",
    Ability.WATERMARK: "a file does not know what changed: use the mode full or snapshot",
    Ability.CHANGE_TRACKING: "a file does not know what changed: use the mode full or snapshot",
}


class FileReader(Protocol):
    """Reader of one file in its format. `typed_by_rows`: the types of its columns are known from its rows only."""

    typed_by_rows: bool

    def columns(self) -> dict[str, str]:
        """The columns with their types, as the format declares them."""
        ...

    def index(self, rows: int) -> FileIndex:
        """Read the whole file; the positions at which every `rows`-th row ends."""
        ...

    def sample(self, rows: int) -> Sample:
        """The first rows."""
        ...

    def read(self, columns: Sequence[str], start: int | None, end: int | None) -> Extract:
        """The rows between two positions of the index; None is the file's beginning or end."""
        ...


class FilesSource(WithoutChangeTracking):
    """The files of a county below its prefix. Replacing a file while a run reads it fails the run."""

    def __init__(self, county_id: str, description: FilesDescription, sampler: Sampler) -> None:
        self._county_id = county_id
        self._description = description
        self._sampler = sampler
        self._readers: dict[str, tuple[StoredObject, FileFolder, FileReader]] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(_MISSING_ABILITIES)

    def schema(self, table: SourceTable) -> TableSchema:
        _, folder, reader = self._reader_of(table)
        columns = reader.columns()
        if reader.typed_by_rows:
            index = folder.index() or self._build_index(folder, reader, DEFAULT_RANGE_ROWS)
            columns = index.columns or columns
        return TableSchema({**columns, ROW_NUMBER: "integer"})

    def count(self, table: SourceTable) -> int:
        _, folder, reader = self._reader_of(table)
        index = folder.index() or self._build_index(folder, reader, DEFAULT_RANGE_ROWS)
        return index.rows

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        file, folder, reader = self._reader_of(table)
        index = folder.index()
        if index is None or index.rows_a_range != rows:
            index = self._build_index(folder, reader, rows)
        # keys have the file's version, so that ranges of a replaced file are not taken for its own
        return index.rows, [[end, file.etag] for end in index.ends]

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        file, folder, reader = self._reader_of(table)
        start, end = (None if key is None else _position(key, file) for key in (keys.lower, keys.upper))
        extract = reader.read([name for name in schema.columns if name != ROW_NUMBER], start, end)
        if ROW_NUMBER not in schema.columns:
            return extract
        first = self._rows_before(folder, start)
        return replace(extract, frame=lambda: _with_row_numbers(extract.frame(), first))

    def sample(self, table: SourceTable, rows: int) -> Sample:
        _, _, reader = self._reader_of(table)
        sample = reader.sample(rows)
        return Sample(_with_row_numbers(sample.frame, 0), {**sample.types, ROW_NUMBER: "integer"})

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        schema = self.schema(table)
        _, ends = self.cut(table, DEFAULT_RANGE_ROWS)
        edges: list[Key | None] = [None, *ends, None]
        for lower, upper in pairwise(edges):
            yield self.read(table, schema, KeyRange(lower, upper)).frame().select(columns)

    def watermark(self, table: SourceTable, field: str) -> str | None:  # noqa: ARG002
        self.capabilities.refuse(Ability.WATERMARK)

    def close(self) -> None:
        self._readers.clear()

    def _reader_of(self, table: SourceTable) -> tuple[StoredObject, FileFolder, FileReader]:
        if table.query is not None:
            self.capabilities.require(Ability.QUERY)
        if table.since is not None:
            self.capabilities.require(Ability.WATERMARK)
        name = table.table_name or ""
        if name not in self._readers:
            self._readers[name] = self._open(name)
        return self._readers[name]

    def _open(self, name: str) -> tuple[StoredObject, FileFolder, FileReader]:
        description = table_description(self._description.tables, name)
        key = county_key(self._county_id, self._description.prefix, description.file)
        try:
            file = storage.find(key)
        except NotFound:
            raise SourceRefused(
                f"There is no file {description.file} below {self._description.prefix}/.", slug="source-file-missing"
            ) from None
        if isinstance(description, GeographicFile):
            folder = folder_of(self._county_id, file, description)
            return file, folder, GeographicReader(name, file, folder, description, self._sampler)
        folder = FileFolder(self._county_id, file, description)
        if isinstance(description, (CsvFile, FixedWidthFile)):
            file = unpack(self._county_id, file, description.file)
        return file, folder, _reader(file, folder, description)

    def _rows_before(self, folder: FileFolder, start: int | None) -> int:
        """The number of rows before a position of the index."""
        if start is None:
            return 0
        index = folder.index()
        if index is None or start not in index.ends:
            raise Conflict(f"The ranges of {folder.name} are of another reading of it.", slug="object-replaced")
        return (index.ends.index(start) + 1) * index.rows_a_range

    def _build_index(self, folder: FileFolder, reader: FileReader, rows: int) -> FileIndex:
        if isinstance(reader, GeographicReader):
            return reader.index(rows)
        folder.clear()
        index = reader.index(rows)
        folder.put_index(index)
        return index


def _reader(
    file: StoredObject, folder: FileFolder, description: CsvFile | FixedWidthFile | XlsxFile | ParquetFile
) -> FileReader:
    match description:
        case CsvFile():
            from shared.sources.files.delimited import DelimitedReader

            return DelimitedReader(file, description)
        case FixedWidthFile():
            from shared.sources.files.fixed_width import FixedWidthReader

            return FixedWidthReader(file, description)
        case XlsxFile() | ParquetFile():
            from shared.sources.files.parts import PartsReader

            return PartsReader(file, folder, description)


def _with_row_numbers(frame: pl.DataFrame, before: int) -> pl.DataFrame:
    numbers = pl.int_range(before + 1, before + frame.height + 1).cast(pl.String).alias(ROW_NUMBER)
    return frame.with_columns(numbers)


def _position(key: Key, file: StoredObject) -> int:
    position, etag = key
    if etag != file.etag:
        raise Conflict(f"{file.key} was replaced while it was read.", slug="object-replaced")
    return int(position)
