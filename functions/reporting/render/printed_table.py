"""Tables as they are printed: every cell a text, a long one cut to its largest rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from typing import Any

from functions.reporting.domain.contents import Block, DataTable, Kind, Row, Section, Toned
from functions.reporting.domain.parameters import MAX_PRINTED_ROWS
from functions.reporting.render.cells import shown
from shared.typesetting import display

Cell = str | dict[str, str]
"""A text, or a text with a tone other than plain."""

_MIN_WIDTH, _MAX_WIDTH = 14, 40
"""Characters that a column of texts is made wide for, at the least and at the most. A choice."""
_ON_THE_LEFT = frozenset({Kind.TEXT, Kind.DAY, Kind.TIME})


@dataclass(frozen=True)
class PrintedTable:
    """A table as texts. `numeric` says of each column whether it is set as figures are, to the right, which the first
    never is: it names the row. `widths` are the shares of the columns of texts in the width that the figures leave,
    None for figures; `omitted` remarks on a cut.
    """

    title: str
    header: list[str]
    numeric: list[bool]
    widths: list[int | None]
    rows: list[list[Cell]]
    total: list[Cell] | None
    omitted: str | None


def printed_blocks(section: Section) -> list[Block]:
    """The blocks of a section that print shows."""
    return [block for block in section.blocks if not isinstance(block, DataTable) or block.shown_in_print]


def printed_table(table: DataTable) -> PrintedTable:
    """The table for print. Rows beyond the limit are counted and left out."""
    rows, count = _printed_rows(table)
    cells = [_cells(table, row) for row in rows]
    numeric = [number > 0 and column.kind not in _ON_THE_LEFT for number, column in enumerate(table.columns)]
    return PrintedTable(
        title=table.title,
        header=[column.title for column in table.columns],
        numeric=numeric,
        widths=[
            None if is_figure else _width([column.title, *(row[number] for row in cells)])
            for number, (column, is_figure) in enumerate(zip(table.columns, numeric, strict=True))
        ],
        rows=cells,
        total=None if table.total is None else _cells(table, table.total),
        omitted=display.omission(count, MAX_PRINTED_ROWS, table.largest),
    )


def _width(cells: list[Cell]) -> int:
    """The length of the longest text, within bounds: neither a long one nor a short one decides alone."""
    longest = max(len(cell if isinstance(cell, str) else cell["text"]) for cell in cells)
    return min(max(longest, _MIN_WIDTH), _MAX_WIDTH)


def _cells(table: DataTable, row: Row) -> list[Cell]:
    return [_cell(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)]


def _cell(cell: Any, kind: Kind) -> Cell:
    text = shown(cell, kind)
    return {"text": text, "tone": cell.tone} if isinstance(cell, Toned) and cell.tone != "plain" else text


def _printed_rows(table: DataTable) -> tuple[Sequence[Row], int]:
    """The rows to print in their order, and how many the table has; no more of them are held than are printed."""
    count = 0

    def counted() -> Any:
        nonlocal count
        for row in table.rows:
            yield count, row
            count += 1

    rows = counted()
    if table.size is None:
        printed = list(islice(rows, MAX_PRINTED_ROWS))
        for _ in rows:
            pass
    else:
        size = table.size
        printed = sorted(nlargest(MAX_PRINTED_ROWS, rows, key=lambda numbered: (size(numbered[1]), -numbered[0])))
    return [row for _, row in printed], count
