"""Reader of a geographic file by the parts that Convert has made of it."""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property

import polars as pl

from shared import storage
from shared.counties.source_description import GeographicFile
from shared.problems import Conflict
from shared.sources.files.file_index import FileFolder, FileIndex
from shared.sources.files.parquet import as_texts
from shared.sources.source import Extract, Sample
from shared.sources.text_values import to_extract
from shared.storage import StoredObject

Sampler = Callable[[str, int], str]
"""Function that has the first rows of a table converted, and returns the key of their object."""


class FileNotConvertedError(Conflict):
    """A geographic file that is not converted yet; `table` is its name in the configuration."""

    slug = "file-not-converted"

    def __init__(self, file: str, table: str) -> None:
        super().__init__(f"{file} has not been converted yet: a sync does that, with validate_only too.")
        self.table = table


class GeographicReader:
    """Reader of the parts; before they are made, of a sample only."""

    typed_by_rows = False

    def __init__(
        self, table: str, file: StoredObject, folder: FileFolder, description: GeographicFile, sampler: Sampler
    ) -> None:
        self._table = table
        self._file = file
        self._folder = folder
        self._format = description
        self._sampler = sampler

    def columns(self) -> dict[str, str]:
        return self._index.columns or {}

    def index(self, rows: int) -> FileIndex:  # noqa: ARG002 - the parts are as they were made
        return self._index

    def sample(self, rows: int) -> Sample:
        frame = _typed(self._part(0) if self._folder.index() is not None else self._sampler(self._table, rows))
        return Sample(as_texts(frame.head(rows)), {name: str(dtype) for name, dtype in frame.schema.items()})

    def read(self, columns: Sequence[str], start: int | None, end: int | None) -> Extract:  # noqa: ARG002
        edges = [0, *self._index.ends, self._index.rows]
        first = bisect_left(edges, start or 0)
        last = bisect_left(edges, self._index.rows if end is None else end)
        parts = [as_texts(_typed(self._part(number))) for number in range(first, max(last, first + 1))]
        return to_extract(pl.concat(parts))

    @cached_property
    def _index(self) -> FileIndex:
        index = self._folder.index()
        if index is None:
            raise FileNotConvertedError(self._format.file, self._table)
        return index

    def _part(self, number: int) -> str:
        return self._folder.part_key(number, "arrow")


def _typed(key: str) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(storage.get(key)))
