"""CSV and other delimited text, of any delimiter, quoting, line ends and encoding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

import polars as pl

from shared.counties.source_description import CsvFile
from shared.mapping import READ_FAULT
from shared.problems import Unprocessable
from shared.sources.files.file_index import FileIndex
from shared.sources.files.lines import Record, Records, detect_encoding, lines, strip_end_of_file
from shared.sources.source import Extract, Sample
from shared.storage import StoredObject

_HEADER_BYTES = 64 * 1024
"""Bytes that are read for the header line and a sample. A choice: 100 records of 600 characters."""
MAX_SHOWN = 500
"""Characters of a malformed record that its reason quotes. A choice: the beginning shows where fields are missing."""


class DelimitedReader:
    """A delimited file. An empty field is NULL, quoted or not: few writers distinguish the two.

    A record with another number of fields than the header is rejected with its line; a file that ends in one, without
    a line end, was cut off and is refused whole, for what it lacks would be taken for removed.
    """

    typed_by_rows = False

    def __init__(self, file: StoredObject, description: CsvFile) -> None:
        self._format = description
        self._text = detect_encoding(file.range(0, min(4, file.size)), description.encoding)
        self._file = strip_end_of_file(file, self._text)

    def columns(self) -> dict[str, str]:
        return {**dict.fromkeys(self._header[0], "text"), READ_FAULT: "fault"}

    def index(self, rows: int) -> FileIndex:
        names, start = self._header
        count, last, ends = 0, None, list[int]()
        for record in self._records(self._file.chunks(start), self._file.key.rpartition("/")[2]):
            if count and count % rows == 0 and last is not None:
                ends.append(start + last.end)
            count, last = count + 1, record
        if last is not None and not last.ended and len(last.fields) < len(names):
            raise Unprocessable(
                f"{self._format.file} ends in the middle of a record: its last line has {len(last.fields)} of"
                f" {len(names)} fields and no line end. It is cut off; send it again.",
                slug="file-truncated",
            )
        return FileIndex(rows=count, rows_a_range=rows, ends=ends)

    def read(self, columns: Sequence[str], start: int | None, end: int | None) -> Extract:
        names, first = self._header
        begin = first if start is None else start
        content = self._file.range(begin, self._file.size if end is None else end)
        frame = self._frame(self._records(iter((content,)), f"{self._format.file}, after byte {begin}"))
        # the meaning of the same bytes depends on the columns' names
        digest = hashlib.sha256("\x1f".join(names).encode() + content).hexdigest()
        return Extract(frame.height, digest, lambda: _select(frame, columns))

    def sample(self, rows: int) -> Sample:
        _, start = self._header
        records = self._records(self._file.chunks(start, _HEADER_BYTES), self._format.file)
        return Sample(self._frame(islice(records, rows)), self.columns())

    def _frame(self, records: Iterable[Record]) -> pl.DataFrame:
        """Records as a frame. One with a wrong number of fields keeps those that it has, and gets a READ_FAULT."""
        names, _ = self._header
        width, rows, faults = len(names), list[list[str]](), dict[int, str]()
        for record in records:
            fields = record.fields
            if len(fields) != width:
                content = self._format.delimiter.join(fields)[:MAX_SHOWN]
                faults[len(rows)] = f"the record has {len(fields)} fields and the header {width}: {content}"
                fields = [*fields, *[""] * width][:width]
            rows.append(fields)
        texts = zip(*rows, strict=True) if rows else [()] * width
        columns = [pl.Series(name, values, dtype=pl.String) for name, values in zip(names, texts, strict=True)]
        frame = pl.DataFrame(columns).select(pl.when(pl.all() != "").then(pl.all()).name.keep())
        if faults:
            of_rows = [faults.get(number) for number in range(frame.height)]
            frame = frame.with_columns(pl.Series(READ_FAULT, of_rows, dtype=pl.String))
        return frame

    @cached_property
    def _header(self) -> tuple[list[str], int]:
        """The names of the columns, and the position of the first record."""
        if not self._format.header:
            return list(self._format.columns), self._text.mark
        beginning = self._file.range(self._text.mark, min(self._file.size, self._text.mark + _HEADER_BYTES))
        first = next(iter(self._records(iter((beginning,)), self._format.file)), None) if beginning else None
        if first is None:
            raise Unprocessable(f"{self._format.file} is empty: it has no header line.", slug="file-empty")
        return _column_names(first, self._format.file), self._text.mark + first.end

    def _records(self, chunks: Iterator[bytes], name: str) -> Iterator[Record]:
        source = lines(chunks, self._text, name)
        return iter(Records(source, self._format.delimiter, self._format.quote, name))


def _select(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The requested columns, and READ_FAULT where there is one."""
    return frame.select(name for name in frame.columns if name in columns or name == READ_FAULT)


def _column_names(header: Record, file: str) -> list[str]:
    names = [field.strip() or f"column_{number}" for number, field in enumerate(header.fields, start=1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise Unprocessable(f"{file} has two columns named {', '.join(repeated)}.", slug="file-columns-twice")
    return names
