"""JSON objects of answers with typed attributes, and JSON of requests."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

R = TypeVar("R", bound="Resource")

_READERS: Mapping[Any, Callable[[Any], Any]] = {
    Decimal: lambda value: Decimal(str(value)),
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}


class Resource:
    """A JSON object of an answer. Its members are attributes: money is Decimal, days are dates, times are aware.

    A member that this version of the package does not know is read by `resource["name"]`, as JSON.
    """

    __slots__ = ("_etag", "_json")
    _json: dict[str, Any]
    _etag: str | None

    def __init__(self, json: Mapping[str, Any], etag: str | None = None) -> None:
        self._json = dict(json)
        self._etag = etag

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        hints = _members(type(self))
        member = name.removesuffix("_") if name not in self._json else name
        if name not in hints or member not in self._json:
            raise AttributeError(f"{type(self).__name__} has no member {name}")
        return read(hints[name], self._json[member])

    def __getitem__(self, name: str) -> Any:
        return self._json[name]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Resource) and other._json == self._json

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._json!r})"

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *_members(type(self))]

    def as_json(self) -> dict[str, Any]:
        """The object as the API sent it."""
        return self._json

    def entity_tag(self) -> str | None:
        """The version that was read, which a change names in If-Match; None where the answer had none."""
        return self._etag


_MEMBERS: dict[type[Resource], dict[str, Any]] = {}


def _members(resource: type[Resource]) -> dict[str, Any]:
    """The members of a class of resources with their types, which are evaluated when they are first needed."""
    if resource not in _MEMBERS:
        hints = get_type_hints(resource)
        _MEMBERS[resource] = {name: hint for name, hint in hints.items() if not name.startswith("_")}
    return _MEMBERS[resource]


def read(hint: Any, value: Any) -> Any:
    """A JSON value in the Python type that `hint` names."""
    if value is None or hint is Any:
        return value
    if isinstance(hint, type) and issubclass(hint, Resource):
        return hint(value)
    if hint in _READERS:
        return _READERS[hint](value)
    origin = get_origin(hint)
    if origin is list:
        (item,) = get_args(hint)
        return [read(item, each) for each in value]
    if origin is dict:
        _, item = get_args(hint)
        return {name: read(item, each) for name, each in value.items()}
    if origin in (Union, types.UnionType):
        return read(_alternative(get_args(hint), value), value)
    return value


def _alternative(hints: tuple[Any, ...], value: Any) -> Any:
    """The type among several that a JSON value has: of objects the first that has all its members."""
    if isinstance(value, dict):
        resources = [hint for hint in hints if isinstance(hint, type) and issubclass(hint, Resource)]
        names = {name.removesuffix("_") for name in value}
        complete = (kind for kind in resources if names <= {each.removesuffix("_") for each in _members(kind)})
        return next(complete, Any)
    if isinstance(value, list):
        return next((hint for hint in hints if get_origin(hint) is list), Any)
    if isinstance(value, str) and not {str, Literal} & {get_origin(hint) or hint for hint in hints}:
        return next((hint for hint in hints if hint in _READERS), Any)
    return Any


def to_json(body: object) -> bytes:
    """The JSON of a request. Raises ValueError for a time without an offset, TypeError for what is no JSON."""
    return json.dumps(body, default=_to_json, ensure_ascii=False, allow_nan=False).encode()


def in_query(value: object) -> str:
    """A value of a query."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(in_query(each) for each in value)
    return value if isinstance(value, str) else str(value if isinstance(value, int | float) else _to_json(value))


def _to_json(value: object) -> object:
    if isinstance(value, Resource):
        return value.as_json()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no offset: give it one, as in datetime.now(timezone.utc)")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
