"""The columns of a table, derived from the schema of its rows.

A nested schema becomes a column for each of its fields, its name before theirs: `decision.note`. What has no fixed
fields (a mapping, a list) is a text in JSON.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

Row = list[Any]
"""The values of a row in the order of the columns, each None or of its column's kind."""


class ColumnKind(StrEnum):
    """The type of a column's values: `str`, `int`, `Decimal`, `float`, `bool`, `date`, and `datetime` in UTC."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


DECIMAL_PLACES = 2
"""Of the database's numbers (`shared.db.models.base`), in which every decimal of the API is kept."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, the type of its values, and the fields that lead to them from a row's model."""

    name: str
    kind: ColumnKind
    path: tuple[str, ...]
    convert: Callable[[Any], Any] | None = None
    """Makes the kind's type of a value that is not None; None where a value has it already."""


@cache
def columns_of(schema: type[BaseModel]) -> tuple[Column, ...]:
    """The columns of the schema of a row, in the order of its fields."""
    return tuple(_columns(schema, ()))


def rows_of(columns: tuple[Column, ...], items: Iterable[Any]) -> Iterator[Row]:
    """The rows of models (or of mappings, where one is nested in a model)."""
    is_flat = all(len(column.path) == 1 for column in columns) and len(columns) > 1
    values_of: Callable[[Any], Iterable[Any]] = (
        attrgetter(*(column.name for column in columns)) if is_flat else _nested_values(columns)
    )
    conversions = [(number, column.convert) for number, column in enumerate(columns) if column.convert is not None]
    for item in items:
        row = list(values_of(item))
        for number, convert in conversions:
            if row[number] is not None:
                row[number] = convert(row[number])
        yield row


def _nested_values(columns: tuple[Column, ...]) -> Callable[[Any], list[Any]]:
    return lambda item: [_value(item, column.path) for column in columns]


def _value(item: Any, path: tuple[str, ...]) -> Any:
    value = item
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, dict) else getattr(value, name)
    return value


def _columns(schema: type[BaseModel], path: tuple[str, ...]) -> Iterator[Column]:
    for name, field in schema.model_fields.items():
        own = (*path, name)
        types = _types(field.annotation)
        if len(types) == 1 and issubclass(types[0], BaseModel):
            yield from _columns(types[0], own)
        else:
            kind, convert = _kind(types)
            yield Column(".".join(own), kind, own, convert)


def _types(annotation: Any) -> list[type]:
    """The classes that a field's value may have, but for None; `object` for what is no class."""
    if get_origin(annotation) in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return list(dict.fromkeys(kind for part in parts for kind in _types(part)))
    if hasattr(annotation, "__metadata__"):
        return _types(annotation.__origin__)
    if hasattr(annotation, "__value__"):
        return _types(annotation.__value__)
    if get_origin(annotation) is not None and all(isinstance(value, str) for value in get_args(annotation)):
        return [str]  # Literal of texts
    return [annotation if isinstance(annotation, type) and get_origin(annotation) is None else object]


def _kind(types: list[type]) -> tuple[ColumnKind, Callable[[Any], Any] | None]:
    """The kind of column for a field of these types: JSON where there are several, or one that no cell holds."""
    known: dict[type, tuple[ColumnKind, Callable[[Any], Any] | None]] = {
        str: (ColumnKind.TEXT, None),
        bool: (ColumnKind.BOOLEAN, None),
        int: (ColumnKind.INTEGER, None),
        float: (ColumnKind.FLOAT, float),
        Decimal: (ColumnKind.DECIMAL, _decimal),
        date: (ColumnKind.DATE, None),
        datetime: (ColumnKind.TIME, _utc),
    }
    if len(types) == 1 and types[0] in known:
        return known[types[0]]
    if len(types) == 1 and not issubclass(types[0], (dict, list, tuple)) and types[0] is not object:
        return ColumnKind.TEXT, str  # UUID, and texts that are enumerated
    return ColumnKind.TEXT, _json


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _utc(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC)


def _json(value: Any) -> str:
    return to_json(value).decode()
