"""Encoding, delimiter and header of a delimited text, from its beginning."""

import codecs
import csv
import io
import re
from typing import NamedTuple

from shared.problems import Unprocessable

DELIMITERS = (",", "\t", ";", "|")
MAX_LINES = 50
"""Records that are looked at for the delimiter. A choice: a county's free text rarely has delimiters in all of them."""
_VALUE = re.compile(r"[-+$(]?\s*[\d.,]*\d[\d.,]*%?\)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
"""Numbers and dates, which no header has as the name of a column; years alone are names in some pivot tables."""
_YEAR = re.compile(r"(19|20)\d\d")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class TextFormat(NamedTuple):
    """Encoding and delimiter of a text."""

    encoding: str
    delimiter: str


def detect_text(filename: str, beginning: bytes) -> TextFormat:
    """The encoding and the delimiter of a text with this beginning.

    Raises Unprocessable for a text that has no names of columns in its first line.
    """
    encoding, text = _decoded(beginning)
    lines = text.splitlines()
    whole = "\n".join(lines[: min(MAX_LINES, max(1, len(lines) - 1))])
    records = {delimiter: _records(whole, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda each: _fitness(records[each]))
    if not records[delimiter]:
        raise Unprocessable(f"{filename} is empty: it has no header line.", slug="file-empty")
    require_header(filename, records[delimiter][0])
    return TextFormat(encoding, delimiter)


def require_header(filename: str, names: list[str]) -> None:
    """Raise Unprocessable where the first line looks like data: a name is a number or a date."""
    data = next((name for name in names if _VALUE.fullmatch(name.strip()) and not _YEAR.fullmatch(name.strip())), None)
    if data is not None or not any(name.strip() for name in names):
        found = f"{data.strip()!r} is no name of a column" if data is not None else "it has no names"
        raise Unprocessable(
            f"The first line of {filename} is no header: {found}. Add a line of names, or describe the file"
            " (`header` false, `columns`).",
            slug="file-without-header",
        )


def _decoded(beginning: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if beginning.startswith(mark):
            return encoding, codecs.getincrementaldecoder(encoding)("replace").decode(beginning[len(mark) :])
    for encoding in ("utf-8", "cp1252"):
        try:
            return encoding, codecs.getincrementaldecoder(encoding)().decode(beginning)
        except UnicodeDecodeError:
            continue
    return "latin-1", beginning.decode("latin-1")


def _records(text: str, delimiter: str) -> list[list[str]]:
    try:
        return [record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]
    except csv.Error:
        return []


def _fitness(records: list[list[str]]) -> tuple[float, int]:
    """Share of the records with as many fields as the first one, where it has several; and their number."""
    if not records or len(records[0]) < 2:
        return 0.0, 0
    width = len(records[0])
    return sum(len(record) == width for record in records) / len(records), width
