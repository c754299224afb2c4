"""The cells of a sheet, row by row, each with its type, parsed as a stream.

None of the libraries for workbooks serves: python-calamine and what stands on it give an empty cell for an error
and for a formula that was never calculated, lose digits of long numbers, and end the process on a stray cell in the
sheet's last column; openpyxl refuses strict documents and those with a style that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO
from xml.parsers import expat

from shared.sources.files.xlsx_package import Styles, unescaped
from shared.sources.text_values import as_text, plain_number

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576
"""Excel's limits ("Excel specifications and limits")."""
_CHUNK_BYTES = 1 << 18
"""Bytes parsed at a time. A choice."""
_MAX_DAY = 2_958_465
"""9999-12-31 as Excel's serial number of days."""
_CELL_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of a cell: its text, True in `number` where that is a number's, or its fault."""

    text: str | None
    number: bool = False
    fault: str | None = None


@dataclass
class Row:
    """A row of the sheet, numbered as Excel does, with its cells by column from 0."""

    number: int
    cells: dict[int, Cell] = field(default_factory=dict)


@dataclass(frozen=True)
class CellContext:
    """The workbook's parts to which cells refer: shared texts, styles and settings."""

    texts: list[str]
    styles: Styles
    from_1904: bool
    recalculates: bool


class SheetReader:
    """Parser of the rows of one sheet; `row` is the number of the last one begun. Raises ExpatError, ValueError."""

    def __init__(self, content: IO[bytes], meaning: CellContext) -> None:
        self.row = 0
        self._content = content
        self._meaning = meaning
        self._rows: list[Row] = []
        self._column = -1
        self._attributes: Mapping[str, str] = {}
        self._value: str | None = None
        self._formula = False
        self._inline: list[str] | None = None
        self._phonetic_depth = 0
        self._characters: list[str] | None = None
        self._starts: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self._start_row, "c": self._start_cell, "v": self._collect, "t": self._collect,
            "f": self._start_formula, "rPh": self._start_phonetic,
        }  # fmt: skip
        self._ends: dict[str, Callable[[], None]] = {
            "c": self._end_cell, "v": self._end_value, "t": self._end_text, "rPh": self._end_phonetic,
        }  # fmt: skip

    def __iter__(self) -> Iterator[Row]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        while chunk := self._content.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
            yield from self._rows[:-1]  # the last one may go on
            del self._rows[:-1]
        parser.Parse(b"", True)
        yield from self._rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        handler = self._starts.get(name.rpartition(":")[2])
        if handler is not None:
            handler(attributes)

    def _end(self, name: str) -> None:
        handler = self._ends.get(name.rpartition(":")[2])
        if handler is not None:
            handler()

    def _data(self, text: str) -> None:
        if self._characters is not None:
            self._characters.append(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = int(attributes["r"]) if "r" in attributes else self.row + 1
        if not self.row < number <= MAX_ROWS:
            raise ValueError(f"row {number} follows row {self.row}")
        self.row, self._column = number, -1
        self._rows.append(Row(number))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self._column = self._column + 1 if reference is None else self._column_of(reference)
        if self._column >= MAX_COLUMNS:
            raise ValueError(f"a cell stands in column {self._column + 1}")
        self._attributes = attributes
        self._value, self._formula, self._inline = None, False, None

    def _column_of(self, reference: str) -> int:
        match = _CELL_REFERENCE.fullmatch(reference)
        if match is None or int(match[2]) != self.row:
            raise ValueError(f"a cell of row {self.row} says that it is {reference!r}")
        column = 0
        for letter in match[1]:
            column = column * 26 + ord(letter) - 64
        return column - 1

    def _start_formula(self, _: dict[str, str]) -> None:
        self._formula = True

    def _start_phonetic(self, _: dict[str, str]) -> None:
        self._phonetic_depth += 1

    def _end_phonetic(self) -> None:
        self._phonetic_depth -= 1

    def _collect(self, _: dict[str, str]) -> None:
        self._characters = []

    def _collected(self) -> str:
        text = "".join(self._characters or ())
        self._characters = None
        return text

    def _end_value(self) -> None:
        self._value = self._collected()

    def _end_text(self) -> None:
        text = self._collected()
        if not self._phonetic_depth:
            self._inline = [*(self._inline or ()), text]

    def _end_cell(self) -> None:
        if not self._rows:
            raise ValueError("a cell stands outside of the rows")
        cell = self._cell(self._attributes.get("t", "n"))
        if cell is not None:
            self._rows[-1].cells[self._column] = cell

    def _cell(self, type_: str) -> Cell | None:
        value = self._value
        if type_ == "inlineStr" or (value is None and self._inline is not None):
            return _text(unescaped("".join(self._inline or ())))
        if type_ == "str" and value is not None:  # a formula with an empty text as result has been calculated
            return _text(unescaped(value))
        if value is None or not value.strip():
            return Cell(None, fault=_UNCALCULATED) if self._formula else None
        if self._formula and self._meaning.recalculates and value == "0":
            return Cell(None, fault=_UNCALCULATED)
        match type_:
            case "s":
                return self._shared(value)
            case "e":
                return Cell(None, fault=f"is an error ({value[:20]}), which is no value")
            case "b":
                return Cell("true" if value.strip() in {"1", "true"} else "false")
            case "d":
                return _text(value.strip().replace("T", " "))
            case _:
                return self._number(value.strip())

    def _shared(self, value: str) -> Cell | None:
        texts = self._meaning.texts
        if not value.strip().isdecimal() or int(value) >= len(texts):
            return Cell(None, fault=f"refers to text {value[:20]} of the workbook, which has {len(texts)}")
        return _text(texts[int(value)])

    def _number(self, value: str) -> Cell:
        style = self._attributes.get("s", "0")
        number = int(style) if style.isdecimal() else 0
        if number in self._meaning.styles.dates:
            return self._day(value)
        if number in self._meaning.styles.durations:
            return self._duration(value)
        if value.isdecimal() and value.isascii() and (value[0] != "0" or value == "0"):
            return Cell(value, number=True)
        try:
            # a double's digits: Excel writes 17 of them, and 1.1 as 1.1000000000000001
            text = plain_number(float(value) if "." in value or "e" in value.lower() else value)
            float(value)
        except ValueError:
            return Cell(None, fault=f"holds {value[:40]!r} as a number, and is damaged")
        return Cell(text, number=True)

    def _day(self, value: str) -> Cell:
        try:
            days = float(value)
        except ValueError:
            days = -1.0
        if not 0 <= days <= _MAX_DAY:
            return Cell(None, fault=f"holds {value[:40]} as a day, which is none of the calendar")
        moment = timedelta(milliseconds=round(days * 86_400_000))
        if days < 1 and not self._meaning.from_1904:
            return Cell((datetime(1900, 1, 1) + moment).time().isoformat())  # noqa: DTZ001 - cells have no time zone
        if self._meaning.from_1904:
            return Cell(as_text(datetime(1904, 1, 1) + moment))  # noqa: DTZ001
        # Excel counts a 29 February 1900, which did not exist
        first = datetime(1899, 12, 31 if days < 60 else 30)  # noqa: DTZ001
        return Cell(as_text(first + moment))

    def _duration(self, value: str) -> Cell:
        try:
            return Cell(as_text(timedelta(milliseconds=round(float(value) * 86_400_000))))
        except (ValueError, OverflowError):
            return Cell(None, fault=f"holds {value[:40]} as a time, and is damaged")


_UNCALCULATED = "is a formula without a saved value: open the workbook in Excel and save it"


def _text(text: str) -> Cell | None:
    return Cell(text) if text.strip() else None


def column_letters(column: int) -> str:
    """The letters of a column; the first is column 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
