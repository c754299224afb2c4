"""Fixed-width text, as COBOL systems and old extracts write it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import islice

import polars as pl

from shared.counties.source_description import FixedWidthFile
from shared.problems import Unprocessable
from shared.sources.files.file_index import FileIndex
from shared.sources.files.lines import detect_encoding, lines, strip_end_of_file
from shared.sources.source import Extract, Sample
from shared.storage import StoredObject


class FixedWidthReader:
    """A fixed-width file. A field of blanks is NULL; a line that ends early leaves its last fields NULL, unless all
    lines but the last are equally long and the last one has no line end: then the file was cut off.
    """

    typed_by_rows = False

    def __init__(self, file: StoredObject, description: FixedWidthFile) -> None:
        self._format = description
        self._text = detect_encoding(file.range(0, min(4, file.size)), description.encoding)
        self._file = strip_end_of_file(file, self._text)

    def columns(self) -> dict[str, str]:
        return {column.name: f"text({column.length})" for column in self._format.columns}

    def index(self, rows: int) -> FileIndex:
        start = self._start
        count, end, ends = 0, start, list[int]()
        lengths, last = set[int](), ""
        for line, size in lines(self._file.chunks(start), self._text, self._format.file):
            blank = not line.strip("\r\n")
            if not blank:
                if count and count % rows == 0:
                    ends.append(end)
                if last:
                    lengths.add(len(last.rstrip("\r\n")))
                count, last = count + 1, line
            end += size
        if last and not last.endswith(("\n", "\r")) and len(lengths) == 1 and len(last) < max(lengths):
            raise Unprocessable(
                f"{self._format.file} is cut off: its last line has {len(last)} characters and no line end, the"
                f" others have {max(lengths)}. Send it again.",
                slug="file-truncated",
            )
        return FileIndex(rows=count, rows_a_range=rows, ends=ends)

    def read(self, columns: Sequence[str], start: int | None, end: int | None) -> Extract:
        begin = self._start if start is None else start
        content = self._file.range(begin, self._file.size if end is None else end)
        rows = [
            stripped
            for line, _ in lines(iter((content,)), self._text, f"{self._format.file}, after byte {begin}")
            if (stripped := line.strip("\r\n"))
        ]
        layout = repr([(c.name, c.start, c.length) for c in self._format.columns if c.name in columns]).encode()
        digest = hashlib.sha256(layout + content).hexdigest()
        return Extract(len(rows), digest, lambda: self._fields(rows).select(c for c in self.columns() if c in columns))

    def sample(self, rows: int) -> Sample:
        file_lines = lines(self._file.chunks(self._start), self._text, self._format.file)
        texts = (text for line, _ in file_lines if (text := line.strip("\r\n")))
        return Sample(self._fields(list(islice(texts, rows))), self.columns())

    def _fields(self, rows: Sequence[str]) -> pl.DataFrame:
        whole = pl.DataFrame({"line": rows}, schema={"line": pl.String})
        fields = [pl.col("line").str.slice(c.start - 1, c.length).alias(c.name) for c in self._format.columns]
        return whole.select(fields).select(pl.when(pl.all().str.strip_chars() != "").then(pl.all()).name.keep())

    @cached_property
    def _start(self) -> int:
        """The position of the first row."""
        position, skipped = self._text.mark, 0
        for _, size in lines(self._file.chunks(position), self._text, self._format.file):
            if skipped == self._format.skip_lines:
                break
            position, skipped = position + size, skipped + 1
        return position
