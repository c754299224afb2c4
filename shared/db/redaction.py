"""Redaction: database errors without the values that they quote, for owners' names and prices must not be logged."""

import re
from collections.abc import Mapping

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import StatementError

_WITH_VALUES = frozenset("DWqp")
"""Fields of PostgreSQL's error message: detail ("Failing row contains ..."), context, internal query and position."""
_DATA_EXCEPTION = "22"
"""The class of errors whose message quotes a value; others quote names of tables, columns and constraints."""
_QUOTED = re.compile(r'".*"', re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*'")


def without_values(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of an error message that name the error and its place in the schema."""
    harmless_fields = {field: text for field, text in fields.items() if field not in _WITH_VALUES}
    if harmless_fields.get("C", "").startswith(_DATA_EXCEPTION):
        harmless_fields["M"] = _QUOTED.sub('"…"', harmless_fields.get("M", ""))
    return harmless_fields


def hide_literals(engine: Engine) -> None:
    """Remove the literals of failed statements from errors; an engine's `hide_parameters` removes the parameters."""

    @event.listens_for(engine, "handle_error")
    def hide(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, StatementError) and error.statement:
            error.statement = _LITERAL.sub("'…'", error.statement)
