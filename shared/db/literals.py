"""Values as SQL writes them, for statements that go without parameters (COPY's queries, scripts)."""

import re
from typing import Any
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000


def uuid_literal(value: UUID) -> str:
    """`CAST('0f8fad5b-...' AS uuid)`."""
    return f"CAST({literal(str(value))} AS uuid)"


class _LiteralDialect(PGDialect_pg8000):
    """The dialect of statements without parameters: texts stand as they are (standard_conforming_strings)."""

    _backslash_escapes = False


def literal_sql(expression: ColumnElement[Any]) -> str:
    """The expression with its bound values as literals."""
    dialect = _LiteralDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # else % would be doubled
    return str(expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def escaped_literal(text: str) -> str:
    """A text literal in which letters, digits and underscores alone stand for themselves: no parameter is in it."""
    return "U&'" + re.sub(r"[^A-Za-z0-9_]", lambda character: f"\\+{ord(character[0]):06X}", text) + "'"
