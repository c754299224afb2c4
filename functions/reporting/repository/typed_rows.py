"""Rows of a query of any length, typed by the columns of a table and read as they are taken."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

from functions.reporting.domain.contents import Column, Kind, Row
from shared.db import snapshot
from shared.db.copying import copy_out_in_parts

_CASTS: dict[Kind, Callable[[str], Any]] = {
    Kind.COUNT: int,
    Kind.YEAR: int,
    Kind.DOLLARS: Decimal,
    Kind.DOLLAR_CHANGE: Decimal,
    Kind.PERCENT_CHANGE: Decimal,
    Kind.DAY: date.fromisoformat,
}
"""Of texts; a column of any other kind is a text."""


class TypedRows:
    """The rows of a query of one county; each pass over them reads them anew, and holds some megabytes of them.

    COPY takes no parameters: the query's values are literals.
    """

    def __init__(self, county_id: str, query: str, columns: Sequence[Column]) -> None:
        self._county_id = county_id
        self._query = query
        self._casts = [_CASTS.get(column.kind) for column in columns]

    def __iter__(self) -> Iterator[Row]:
        with snapshot(self._county_id) as connection:
            statement = f"COPY ({self._query}) TO STDOUT (FORMAT csv)"
            for part in copy_out_in_parts(connection.connection.dbapi_connection, statement):
                for cells in csv.reader(StringIO(part.decode(), newline="")):
                    yield [_value(cell, cast) for cell, cast in zip(cells, self._casts, strict=True)]


def _value(cell: str, cast: Callable[[str], Any] | None) -> Any:
    """A cell's value; an empty text is a missing value."""
    if cell == "":
        return None
    return cell if cast is None else cast(cell)
