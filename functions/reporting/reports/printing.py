"""The rows of a long table that are printed."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from functions.reporting.domain.parameters import MAX_PRINTED_ROWS

Row = TypeVar("Row")


def printed_rows(rows: Sequence[Row], size: Callable[[Row], Any]) -> list[Row]:
    """The largest rows that fit into a printed table, in their order; all of them where they fit."""
    if len(rows) <= MAX_PRINTED_ROWS:
        return list(rows)
    largest = sorted(range(len(rows)), key=lambda number: -size(rows[number]))[:MAX_PRINTED_ROWS]
    return [rows[number] for number in sorted(largest)]
