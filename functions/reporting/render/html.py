"""A report as one HTML page: nothing else is loaded, every text is escaped by the template's engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.reporting.domain.contents import Area, Bar, Dots, Drawing, Ink, Label, Line, Point
from functions.reporting.render.page import Page
from functions.reporting.render.printed_table import printed_blocks, printed_table

_TEMPLATES = Path(__file__).parent / "templates"
_WIDTH = 640
"""Of a drawing that is as wide as the page allows, in the units of its height."""
_INKS: dict[Ink, str] = {
    "ink": "#1d3557",
    "second": "#8fa8c8",
    "quiet": "#5a5a5a",
    "good": "#2d6a4f",
    "alarm": "#9b2226",
    "band": "#e3eee8",
    "pale": "#dedede",
}
"""The colors of `shared/typesetting/pages`."""


def write_html(page: Page) -> bytes:
    """The page of a report; the same page gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(printed_blocks=printed_blocks, printed_table=printed_table, svg=_Svg, inks=_INKS)
    environment.filters["kind"] = lambda block: type(block).__name__
    text = environment.get_template("report.html.jinja").render(page=page)
    return _without_controls(text).encode()


def _without_controls(text: str) -> str:
    """The text without the characters that a page may not have, with a replacement character for each."""
    return "".join(
        character if character in "\n\t" or (character >= " " and not 0x7F <= ord(character) < 0xA0) else "\ufffd"
        for character in text.encode("utf-8", "replace").decode()
    )


class _Svg:
    """The positions of a drawing's shapes in the units of its picture."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.left, self.top = drawing.margin, 4.0
        self.plot_width = drawing.width or _WIDTH - drawing.margin - 8
        self.width = self.left + self.plot_width + 8
        self.height = self.top + drawing.height + (16 if drawing.x_ticks else 4) + (12 if drawing.x_title else 0)

    def x(self, share: float) -> str:
        """From left to right."""
        return _number(self.left + share * self.plot_width)

    def y(self, share: float) -> str:
        """From the top down, as SVG counts."""
        return _number(self.top + (1 - share) * self.drawing.height)

    def across(self, share: float) -> str:
        """A width."""
        return _number(share * self.plot_width)

    def up(self, share: float) -> str:
        """A height."""
        return _number(share * self.drawing.height)

    def path(self, shape: Any) -> str:
        """The path of a line, of dots (lines without length), or of an area."""
        match shape:
            case Dots(points):
                return "".join(f"M{self._at(point)}h0" for point in points)
            case Line(points):
                return self._through(points)
            case Area(rings):
                return "".join(f"{self._through(ring)}Z" for ring in rings)
            case Bar() | Label():
                raise TypeError(shape)
        raise TypeError(shape)

    def _through(self, points: Iterable[Point]) -> str:
        return "M" + "L".join(map(self._at, points))

    def _at(self, point: Point) -> str:
        return f"{self.x(point[0])} {self.y(point[1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
