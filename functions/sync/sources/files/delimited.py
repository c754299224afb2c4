"""CSV and its kin: delimited text of any delimiter, quoting, line ends and encoding."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from functions.sync.sources.files.lines import Record, Records, lines, text_of
from functions.sync.sources.files.stored import FileIndex
from functions.sync.sources.source import Extract
from shared.mapping import READ_FAULT
from shared.problems import Unprocessable
from shared.source_description import CsvFile
from shared.storage import StoredObject

if TYPE_CHECKING:
    import polars as pl

_BEGINNING = 64 * 1024


class DelimitedReader:
    """A delimited file. An empty field is NULL, quoted or not: few files tell the two apart.

    A record with another number of fields than the header is rejected with its line; a file that ends in one, without
    a line end, was cut off and is refused whole, for what it lacks would be taken for removed.
    """

    def __init__(self, file: StoredObject, description: CsvFile) -> None:
        self._file = file
        self._format = description
        self._text = text_of(file.range(0, min(4, file.size)), description.encoding)

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
        text = self._text.decode(content, f"{self._format.file}, after byte {begin}")
        records = self._records(iter((content,)), f"{self._format.file}, after byte {begin}")
        rows = sum(1 for _ in records)
        # what the same bytes mean depends on the columns' names
        digest = hashlib.sha256("\x1f".join(names).encode() + content).hexdigest()
        return Extract(rows, digest, lambda: _chosen(self._frame(text, names, rows, begin), columns))

    def sample(self, rows: int) -> pl.DataFrame:
        names, start = self._header
        found = self._records(self._file.chunks(start, _BEGINNING), self._format.file)
        return _forgiving(islice(found, rows), names, self._format.delimiter)

    def _frame(self, text: str, columns: Sequence[str], rows: int, begin: int) -> pl.DataFrame:
        quick = self._quick(text, columns, rows)
        if quick is not None:
            return quick
        encoded = text.encode()
        source = lines(iter((encoded,)), text_of(b"", "utf-8"), self._format.file)
        records = Records(source, self._format.delimiter, self._format.quote, f"{self._format.file}, after {begin}")
        return _forgiving(records, columns, self._format.delimiter)

    def _quick(self, text: str, columns: Sequence[str], rows: int) -> pl.DataFrame | None:
        """Polars' reader, where the text is so regular that both readers agree on it."""
        import polars as pl

        if "\r" in text.replace("\r\n", ""):
            return None
        try:
            frame = pl.read_csv(
                io.BytesIO(text.encode()),
                has_header=False,
                new_columns=list(columns),
                separator=self._format.delimiter,
                quote_char=self._format.quote,
                infer_schema=False,
            )
        except (pl.exceptions.PolarsError, ValueError):
            return None
        if frame.height != rows or frame.columns != list(columns):
            return None
        return frame.select(pl.when(pl.all() != "").then(pl.all()).name.keep())

    @cached_property
    def _header(self) -> tuple[list[str], int]:
        """The names of the columns, and where the first record begins."""
        if not self._format.header:
            return list(self._format.columns), self._text.mark
        beginning = self._file.range(self._text.mark, min(self._file.size, self._text.mark + _BEGINNING))
        first = next(iter(self._records(iter((beginning,)), self._format.file)), None) if beginning else None
        if first is None:
            raise Unprocessable(f"{self._format.file} is empty: it has no header line.", slug="file-empty")
        return _names(first, self._format.file), self._text.mark + first.end

    def _records(self, chunks: Iterator[bytes], name: str) -> Iterator[Record]:
        source = lines(chunks, self._text, name)
        return iter(Records(source, self._format.delimiter, self._format.quote, name))


def _chosen(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns that were asked for, and what is wrong with rows in any case."""
    return frame.select(name for name in frame.columns if name in columns or name == READ_FAULT)


def _names(header: Record, file: str) -> list[str]:
    names = [field.strip() or f"column_{number}" for number, field in enumerate(header.fields, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unprocessable(f"{file} has two columns named {', '.join(twice)}.", slug="file-columns-twice")
    return names


def _forgiving(records: Iterable[Record], columns: Sequence[str], delimiter: str) -> pl.DataFrame:
    """Record by record. One with a wrong number of fields keeps those that it has, for whoever looks at it."""
    import polars as pl

    width = len(columns)
    rows, faults = list[list[str | None]](), list[str | None]()
    for record in records:
        fields: list[str | None] = [field or None for field in record.fields]
        fault = None
        if len(fields) != width:
            fault = f"the record has {len(fields)} fields and the header {width}: {delimiter.join(record.fields)[:500]}"
            fields = [*fields, *[None] * width][:width]
        rows.append(fields)
        faults.append(fault)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    if any(faults):
        frame = frame.with_columns(pl.Series(READ_FAULT, faults, dtype=pl.String))
    return frame
