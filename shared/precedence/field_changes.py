"""A row before and after, field by field; each key of `attributes` is a field of its own."""

from collections.abc import Mapping
from typing import Any

from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields in which two rows differ, with both values; None for a field that one of them lacks."""
    old, new = _by_field(before), _by_field(after)
    return {name: (old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)}


def _by_field(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name != ATTRIBUTES}
    return plain | {f"{ATTRIBUTE_PREFIX}{key}": value for key, value in (row.get(ATTRIBUTES) or {}).items()}
