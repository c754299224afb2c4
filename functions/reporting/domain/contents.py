"""The contents of a report: sections of statements, tables and drawings, from which every format is rendered.

A table's cells are values, not texts: each format shows them by the kind of their column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Tone = Literal["plain", "good", "alarm"]
"""The judgement that a text carries beside its words; no meaning is in the tone alone."""

Ink = Literal["ink", "second", "quiet", "good", "alarm", "band", "pale"]
"""The colors of drawings, by name; each format has them as it prints."""


class Kind(StrEnum):
    """The kinds of a column's values. Percentages are in percent, dollars exact to the cent, days dates.

    A ratio has three decimals in print, a decimal one. An interval is a pair of ratios.
    """

    TEXT = "text"
    COUNT = "count"
    YEAR = "year"
    DOLLARS = "dollars"
    RATIO = "ratio"
    DECIMAL = "decimal"
    PERCENT = "percent"
    COUNT_CHANGE = "count_change"
    DOLLAR_CHANGE = "dollar_change"
    PERCENT_CHANGE = "percent_change"
    DAY = "day"
    TIME = "time"
    FLAG = "flag"
    INTERVAL = "interval"


@dataclass(frozen=True)
class Column:
    """A column: its title in print, its kind, and its name in files of data (by default the title's).

    `is_summed`: the sum of the rows has a meaning, and a table without a total of its own gets it.
    """

    title: str
    kind: Kind = Kind.TEXT
    name: str = ""
    is_summed: bool = False

    @property
    def data_name(self) -> str:
        """The name in files of data."""
        return self.name or self.title.lower().replace(" ", "_")


Row = Sequence[Any]
"""The cells of a row: each None, a value of its column's kind, a `Toned` text, or a `Figure` of another kind."""


@dataclass(frozen=True)
class Figure:
    """A value of another kind than its column's others."""

    value: Any
    kind: Kind
    places: int | None = None
    """Decimals in print, where they are not those of the kind."""


@dataclass(frozen=True)
class Toned:
    """A text of a table with its tone."""

    text: str
    tone: Tone = "plain"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class DataTable:
    """A table of figures. `rows` may be read as they are written: they are passed over once.

    `total` is the row of the whole, where the figures of the whole are computed where those of the rows are. `size`
    ranks the rows of a table that is too long for print, of which the largest are printed; `largest` says which those
    are ("those with most sales"). Without it the first are.
    """

    columns: Sequence[Column]
    rows: Iterable[Row]
    title: str = ""
    total: Row | None = None
    size: Callable[[Row], Any] | None = None
    largest: str = "the first"
    shown_in_print: bool = True
    """False of a table for spreadsheets, of which print shows another."""

    @property
    def has_sums(self) -> bool:
        """True where the sum of some column is shown."""
        return any(column.is_summed for column in self.columns)


@dataclass(frozen=True)
class Statement:
    """A sentence made from the report's figures."""

    text: str
    tone: Tone | None = None
    """None of a remark that judges nothing."""


@dataclass(frozen=True)
class Statements:
    """Sentences, listed."""

    statements: Sequence[Statement]


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """Names with their values, one below the other."""

    pairs: Sequence[tuple[str, str]]


Point = tuple[float, float]
"""A position in a drawing: from left to right and from the bottom up, each from 0 to 1."""


@dataclass(frozen=True)
class Bar:
    """A rectangle by its lower left corner and its size."""

    x: float
    y: float
    width: float
    height: float
    ink: Ink


@dataclass(frozen=True)
class Dots:
    """Dots of one size and color; the radius is in points."""

    points: Sequence[Point]
    ink: Ink
    radius: float


@dataclass(frozen=True)
class Line:
    """A line through points; its weight is in points."""

    points: Sequence[Point]
    ink: Ink
    weight: float


@dataclass(frozen=True)
class Area:
    """A polygon by its rings (the outer one, and its holes)."""

    rings: Sequence[Sequence[Point]]
    ink: Ink
    outline: Ink


@dataclass(frozen=True)
class Label:
    """A short text that begins at a point, or is centered on it."""

    at: Point
    text: str
    centered: bool = False


Shape = Bar | Dots | Line | Area | Label


@dataclass(frozen=True)
class Tick:
    """A marked position of an axis, with its label."""

    at: float
    label: str
    is_line: bool = True
    """True for a line across the drawing; names of rows have none."""


@dataclass(frozen=True)
class Drawing:
    """A chart or a map, made of plain shapes in the unit square; `alternative` says in words what it shows.

    `height` is that of the square in points, and so is `margin`, the room for the labels to its left. Without `width`
    the square is as wide as the page allows. What is outside of a clipped drawing's square is not shown.
    """

    title: str
    alternative: str
    shapes: Sequence[Shape]
    height: float
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    x_title: str = ""
    legend: Sequence[tuple[Ink, str]] = ()
    margin: float = 36
    width: float | None = None
    is_clipped: bool = False


@dataclass(frozen=True)
class Columns:
    """Drawings beside each other, as many as two in a row."""

    drawings: Sequence[Drawing]


Block = Statements | Prose | Pairs | DataTable | Drawing | Columns


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it; `level` 1 or 2. `begins_page`: in print it is the first of its page."""

    title: str
    blocks: Sequence[Block] = field(default_factory=list)
    level: Literal[1, 2] = 1
    begins_page: bool = False


@dataclass(frozen=True)
class Contents:
    """All that a reader sees of a report beneath its title.

    `facts` are shown first, by their labels. `sign_off` are the roles that sign, `flipped` is a page in landscape, and
    `has_outline` a table of contents with page numbers.
    """

    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    sign_off: Sequence[str] = ("Prepared by", "Approved by the assessor")
    flipped: bool = False
    has_outline: bool = False
