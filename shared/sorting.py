"""The order of a list: one field of a permitted set, and the row's id among equals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.problems import Unprocessable

MAX_DIGITS = 60
"""Of a number in a page token: more than any column or quotient has."""
_NULL, _VALUE = "n", "v"


@dataclass(frozen=True)
class SortOrder:
    """A list's order; rows without a value of the field come last, in whatever direction."""

    field: str
    descending: bool = False


def sort_order(text: str | None, permitted: Mapping[str, type], default: SortOrder) -> SortOrder:
    """The order that `sort` asks for: a field, with a minus in front the largest first.

    `permitted` are the fields with the types of their values. Raises Unprocessable for another one.
    """
    if text is None:
        return default
    field = text.removeprefix("-")
    if field not in permitted:
        raise Unprocessable(
            f"There is no order by {field[:100]!r}; there are: {', '.join(permitted)}, each with - in front for the"
            " largest first.",
            pointer="/query/sort",
            slug="sort-unknown",
        )
    return SortOrder(field, descending=text.startswith("-"))


def sort_key(value: Any) -> str:
    """A field's value as a part of a page token."""
    if value is None:
        return _NULL
    return _VALUE + (value.isoformat() if isinstance(value, date) else str(value))


def parse_sort_key(kind: type) -> Callable[[str], Any]:
    """The reader of a part of a page token as a value of this type. Raises ValueError for what is none."""

    def parse(text: str) -> Any:
        if text == _NULL:
            return None
        if not text.startswith(_VALUE):
            message = "no part of a key"
            raise ValueError(message)
        return _PARSERS[kind](text[len(_VALUE) :])

    return parse


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not number.is_finite() or len(text) > MAX_DIGITS or "E" in text.upper():
        raise ValueError(text)
    return number


_PARSERS: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    Decimal: _number,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}
