"""The parts of an Excel workbook (OOXML, transitional and strict): its tabs, shared texts, and which styles are dates.

ECMA-376 part 1: 18.2 (workbook), 18.4 (shared texts), 18.8.30 (number formats); part 2 (packages). Relationships and
elements are known by the last part of their names, which transitional and strict documents share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import IO
from xml.etree.ElementTree import Element, iterparse
from zipfile import ZipFile

BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats of dates and times, which have no format code in the workbook (18.8.30; 27 to 36 and 50 to
58 of East Asian ones)."""
BUILTIN_DURATION = 46
_LITERAL_PARTS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.I)
"""Literal parts of a number format: quoted and escaped text, fillers, colors, conditions and languages."""
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Tab:
    """One tab of the workbook; `part` is the path of its cells, None for a chart or a dialog."""

    name: str
    part: str | None
    hidden: bool


@dataclass(frozen=True)
class Styles:
    """Numbers of the styles that format dates and times, and of those that format durations."""

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()


@dataclass
class Package:
    """An opened workbook. Raises the errors of zipfile and expat where it is damaged, LookupError for a missing
    part.
    """

    archive: ZipFile
    tabs: list[Tab] = field(init=False)
    from_1904: bool = False
    recalculates: bool = False
    """True where it is to be calculated when it is opened: a program wrote it, and 0 may stand for no result."""

    def __post_init__(self) -> None:
        # some writers use backslashes, or other capitals than the relationships do
        self._names = {name.replace("\\", "/").lower(): name for name in self.archive.namelist()}
        self._main = self._related("", "officeDocument") or "xl/workbook.xml"
        self._relations = self._relations_of(self._main)
        self.tabs = list(self._read_tabs())

    def open(self, part: str) -> IO[bytes]:
        """A part's content."""
        name = self._names.get(part.lower())
        if name is None:
            raise LookupError(f"its part {part} is missing")
        return self.archive.open(name)

    def texts(self) -> list[str]:
        """The shared texts."""
        part = self._related(self._main, "sharedStrings")
        if part is None or part.lower() not in self._names:
            return []
        return [rich_text(item) for item in self._elements(part, "si")]

    def styles(self) -> Styles:
        """The styles of dates and durations."""
        part = self._related(self._main, "styles")
        if part is None or part.lower() not in self._names:
            return Styles()
        codes, formats = dict[int, str](), list[int]()
        for element in self._elements(part, "numFmt", "cellXfs"):
            if local_name(element.tag) == "numFmt":
                codes[int(element.get("numFmtId", "0"))] = element.get("formatCode", "")
            else:
                formats += [int(xf.get("numFmtId", "0")) for xf in element]
        kinds = {number: _kind(number, codes) for number in set(formats)}
        return Styles(
            frozenset(style for style, number in enumerate(formats) if kinds[number] == "date"),
            frozenset(style for style, number in enumerate(formats) if kinds[number] == "duration"),
        )

    def _read_tabs(self) -> Iterator[Tab]:
        for element in self._elements(self._main, "workbookPr", "calcPr", "sheet"):
            match local_name(element.tag):
                case "workbookPr":
                    self.from_1904 = element.get("date1904") in {"1", "true"}
                case "calcPr":
                    self.recalculates = element.get("fullCalcOnLoad") in {"1", "true"}
                case _:
                    relation = next((value for name, value in element.items() if local_name(name) == "id"), "")
                    kind, part = self._relations.get(relation, ("", ""))
                    cells = part if kind == "worksheet" else None
                    yield Tab(element.get("name", ""), cells, element.get("state", "visible") != "visible")

    def _related(self, part: str, kind: str) -> str | None:
        relations = self._relations if part and part == getattr(self, "_main", None) else self._relations_of(part)
        return next((target for of, target in relations.values() if of == kind), None)

    def _relations_of(self, part: str) -> Mapping[str, tuple[str, str]]:
        """Relationships of a part: kind and path by id."""
        folder, _, name = part.rpartition("/")
        relations = join(folder, "_rels", f"{name}.rels")
        if relations.lower() not in self._names:
            return {}
        return {
            element.get("Id", ""): (
                element.get("Type", "").rpartition("/")[2],
                normpath(join("/", dirname(part), element.get("Target", "").replace("\\", "/"))).lstrip("/"),
            )
            for element in self._elements(relations, "Relationship")
        }

    def _elements(self, part: str, *names: str) -> Iterator[Element]:
        with self.open(part) as content:
            for _, element in iterparse(content):  # noqa: S314 - expat itself bounds what entities grow to
                if local_name(element.tag) in names:
                    yield element
                    element.clear()


def local_name(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def rich_text(item: Element) -> str:
    """The text of all runs, without phonetic hints."""
    runs = [child for child in item if local_name(child.tag) in {"t", "r"}]
    texts = (text.text or "" for run in runs for text in run.iter() if local_name(text.tag) == "t")
    return unescaped("".join(texts))


def unescaped(text: str) -> str:
    """A text with its _xHHHH_ escapes decoded, by which OOXML writes characters that XML cannot hold (22.9.2.19)."""
    if "_x" not in text:
        return text
    units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _kind(number: int, codes: Mapping[int, str]) -> str:
    if number not in codes:
        return "duration" if number == BUILTIN_DURATION else "date" if number in BUILTIN_DATES else "number"
    shown = _LITERAL_PARTS.sub("", codes[number].partition(";")[0]).lower()
    if re.search(r"\[[hms]+\]", shown):
        return "duration"
    return "date" if re.search("[dmyhs]", shown.replace("general", "")) else "number"
