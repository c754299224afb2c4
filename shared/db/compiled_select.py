"""A SELECT that is compiled once and then run by the driver itself.

For the few reads that most requests consist of: Connection.execute looks the compiled statement up, sets up a result
and its processors at every call, which takes as long as half of the driver's work. pg8000 itself makes what the
types of our models would: Decimal, UUID, dict, datetime.
"""

from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000


class CompiledSelect:
    """Rows of a statement whose parameters are `bindparam`s."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **parameters: str | int) -> list[dict[str, Any]]:
        """Each row by its columns' names. Raises KeyError for a parameter that is not given."""
        text, order, names = self._compiled
        cursor = connection.connection.cursor()
        cursor.execute(text, [parameters[name] for name in order])
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @cached_property
    def _compiled(self) -> tuple[str, list[str], list[str]]:
        compiled = self._statement.compile(dialect=PGDialect_pg8000())  # type: ignore[no-untyped-call]
        return str(compiled), list(compiled.positiontup or ()), list(self._statement.selected_columns.keys())
