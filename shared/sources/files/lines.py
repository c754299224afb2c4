"""Lines and records of text files with their byte positions, by which a file is cut."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from shared.problems import Unprocessable
from shared.storage import StoredObject

MAX_FIELD_CHARACTERS = 4 << 20
"""Largest field in characters. A choice: a parcel's geometry as text has less, and an unclosed quote soon exceeds
it."""
csv.field_size_limit(MAX_FIELD_CHARACTERS)

_END_BLOCK_BYTES = 4096
"""Bytes at the end in which padding is looked for. A choice: a block of a disk."""
_END_OF_FILE, _NUL = "\x1a", "\x00"

_BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class TextEncoding:
    """The encoding of a text file, and the number of bytes of its byte order mark."""

    encoding: str
    mark: int

    @property
    def wide(self) -> bool:
        """True for UTF-16, whose lines cannot be found without decoding."""
        return self.encoding.startswith("utf-16")

    def decode(self, content: bytes, place: str) -> str:
        """The decoded text. Raises Unprocessable for bytes that are invalid in this encoding."""
        try:
            return content.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise _not_decodable(self, place, content[error.start : error.start + 1]) from None


def detect_encoding(beginning: bytes, declared: str) -> TextEncoding:
    """The encoding of a file with this beginning: that of its byte order mark, or else the declared one."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if beginning.startswith(mark):
            return TextEncoding(encoding, len(mark))
    return TextEncoding("utf-16-le" if declared == "utf-16" else declared, 0)


def strip_end_of_file(file: StoredObject, text: TextEncoding) -> StoredObject:
    """The file without end-of-file marks of DOS (Ctrl-Z) at its end, and without the NULs that fill its last block."""
    width = 2 if text.wide else 1
    block = min(_END_BLOCK_BYTES, (file.size - text.mark) // width * width)
    tail = file.range(file.size - block, file.size)
    units = [tail[position : position + width] for position in range(0, block, width)]
    mark, nul, *line_ends = (character.encode(text.encoding) for character in (_END_OF_FILE, _NUL, "\n", "\r"))
    end = len(units)
    while end and units[end - 1] in (mark, nul, *line_ends):
        end -= 1
    if mark in units[end:]:
        end = units.index(mark, end)
    else:
        end = len(units)
        while end and units[end - 1] == nul:
            end -= 1
        if not end or units[end - 1] not in line_ends:  # the NULs belong to the last field
            return file
    return replace(file, size=file.size - (len(units) - end) * width) if end < len(units) else file


def lines(chunks: Iterable[bytes], text: TextEncoding, name: str) -> Iterator[tuple[str, int]]:
    """Each line with its line end, and its number of bytes. A line ends with LF, CR LF or CR.

    Raises Unprocessable for bytes that are invalid in the encoding.
    """
    decoder = codecs.getincrementaldecoder(text.encoding)()
    pending, number = "", 0
    for chunk in chunks:
        try:
            pending += decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _not_decodable(
                text, f"{name}, after line {number}", error.object[error.start : error.start + 1]
            ) from None
        if len(pending) > 4 * MAX_FIELD_CHARACTERS and "\n" not in pending and "\r" not in pending:
            raise Unprocessable(
                f"{name} has a line of more than {len(pending):,} characters.", slug="file-line-too-long"
            )
        complete = io.StringIO(pending, newline="").readlines()
        # the last line may go on, and a CR may be half of a CR LF
        pending = complete.pop() if complete else ""
        for line in complete:
            number += 1
            yield line, len(line.encode(text.encoding))
    if decoder.getstate()[0]:
        raise _not_decodable(text, f"{name}, at its end", decoder.getstate()[0][:1])
    if pending:
        for line in io.StringIO(pending, newline=""):
            yield line, len(line.encode(text.encoding))


@dataclass(frozen=True, slots=True)
class Record:
    """A record of delimited text: its fields, the number of its first line, and the position of its end."""

    fields: list[str]
    line: int
    end: int
    ended: bool
    """True where a line end follows."""


class Records:
    """The records of delimited text, read leniently: a quote within an unquoted field is a character.

    Blank lines are skipped. Raises Unprocessable where a quoted field is not closed.
    """

    def __init__(self, source: Iterator[tuple[str, int]], delimiter: str, quote: str | None, name: str) -> None:
        self._source = source
        self._name = name
        self._delimiter = delimiter
        self._quote = quote
        self._line = self._bytes = 0
        self._last = ""
        self._exhausted = False

    def __iter__(self) -> Iterator[Record]:
        for line in self._feed():
            begins = self._line
            if self._delimiter not in line and not line.strip():
                continue
            if self._quote is None or self._quote not in line:
                stripped = line.rstrip("\r\n")
                fields = stripped.split(self._delimiter) if stripped else []
            else:
                fields = self._quoted(line, begins)
            if fields:
                yield Record(fields, begins, self._bytes, self._last.endswith(("\n", "\r")))

    def _quoted(self, line: str, begins: int) -> list[str]:
        """The fields of a record with quotes, which may span lines."""
        try:
            fields = next(
                csv.reader(chain((line,), self._feed()), delimiter=self._delimiter, quotechar=self._quote or '"')
            )
        except csv.Error as error:
            raise Unprocessable(
                f"{self._name}, line {begins}: the record that begins here cannot be read ({error});"
                " is a quote missing?",
                slug="file-malformed",
            ) from None
        if self._exhausted:  # the reader reached the end of the file: a quote is not closed
            raise Unprocessable(
                f"{self._name} ends within a quoted field of the record that begins in line {begins}: it is cut off,"
                " or a quote is missing.",
                slug="file-truncated",
            )
        return fields

    def _feed(self) -> Iterator[str]:
        for line, size in self._source:
            self._line += 1
            self._bytes += size
            self._last = line
            yield line
        self._exhausted = True


def _not_decodable(text: TextEncoding, place: str, byte: bytes) -> Unprocessable:
    other = "utf-8" if text.encoding != "utf-8" else "cp1252"
    return Unprocessable(
        f"{place}: the byte 0x{byte.hex()} is no {text.encoding}; is the file {other}?", slug="file-encoding"
    )
