"""Cells of tables as texts, by the kind of their column."""

from collections.abc import Callable
from typing import Any

from functions.reporting.domain.contents import Figure, Kind, Toned
from shared.typesetting import display

_PLACES = {Kind.RATIO: 3, Kind.DECIMAL: 1, Kind.INTERVAL: 3}

_TEXTS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: lambda value: display.name(str(value)),
    Kind.COUNT: display.count,
    Kind.YEAR: str,
    Kind.DOLLARS: display.dollars,
    Kind.PERCENT: lambda value: f"{display.decimals(float(value), 1)}%",
    Kind.COUNT_CHANGE: display.count_change,
    Kind.DOLLAR_CHANGE: display.dollar_change,
    Kind.PERCENT_CHANGE: display.percent_change,
    Kind.DAY: lambda value: value.isoformat(),
    Kind.TIME: lambda value: f"{value:%Y-%m-%d %H:%M}",
    Kind.FLAG: lambda value: "yes" if value else "no",
}


def shown(cell: Any, kind: Kind) -> str:
    """The text of a cell in a column of a kind; a missing value is an en dash."""
    match cell:
        case None:
            return display.MISSING
        case Toned():
            return cell.text
        case Figure():
            return shown(cell.value, cell.kind) if cell.places is None else _decimals(cell.value, cell.places)
    places = _PLACES.get(kind)
    return _TEXTS[kind](cell) if places is None else _decimals(cell, places)


def _decimals(value: Any, places: int) -> str:
    match value:
        case None:
            return display.MISSING
        case (low, high):
            return display.interval(low, high, places)
        case _:
            return display.decimals(float(value), places)
