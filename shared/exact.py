"""Strict parsing of a request's values: `1_998`, ` 12 ` and `true` are no numbers, 20251231 is no day."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from pydantic_core import core_schema

FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Years of sales, rolls and histories. A choice: arithmetic on dates stays within the calendar (1 to 9999)."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ].*)?", re.ASCII | re.DOTALL)
"""The beginning of a day or a timestamp; pydantic reads the rest."""
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?(E[+-]\d{1,3})?", re.ASCII)
"""With the exponent that Python writes: parameters of a job are kept as JSON, and read again."""


def is_number(text: str) -> bool:
    """True for a number in digits, with a point before its fraction."""
    return _DECIMAL.fullmatch(text) is not None


def require_day(value: Any) -> Any:
    """A day or a moment, or its text. Raises ValueError for another text, and beyond the years in use."""
    if isinstance(value, str):
        if not DAY.fullmatch(value):
            raise ValueError("write a day as YYYY-MM-DD, a moment as RFC 3339 says")
        year = int(value[:4])
    elif isinstance(value, date):
        year = value.year
    else:
        raise ValueError("write a day as a text, YYYY-MM-DD")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"days from {FIRST_YEAR} to {LAST_YEAR} are taken")
    return value


def _require_decimal(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
        raise ValueError("write a number in digits, with a point before its fraction")
    return value


_STRICT = frozenset({"int", "float", "bool"})
_CHECKED: dict[str, Callable[[Any], Any]] = {
    "decimal": _require_decimal,
    "date": require_day,
    "datetime": require_day,
}


def make_exact(schema: Any) -> None:
    """Make a model's core schema strict for numbers, booleans and days. Nested models have schemas of their own."""
    if isinstance(schema, list | tuple):
        for part in schema:
            make_exact(part)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if not isinstance(kind, str):  # a mapping of fields, of which one may be called so
        kind = None
    if kind in _STRICT:
        schema["strict"] = True
    elif kind in _CHECKED:
        inner = dict(schema)
        schema.clear()
        schema.update(core_schema.no_info_before_validator_function(_CHECKED[kind], inner))
    elif kind != "model":
        for part in schema.values():
            make_exact(part)
