"""Replacing what a library's module or class holds, and putting it back."""

from collections.abc import MutableMapping
from contextlib import ExitStack
from typing import Any


class Replacements:
    """Attributes replaced for a while; `undo` puts them back, the last first."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Sets `owner.name`, which must exist: a library that renamed it is noticed here."""
        self._stack.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Sets `owner.name`, which must not exist yet."""
        if hasattr(owner, name):
            message = f"{owner!r} has a {name} of its own now"
            raise AttributeError(message)
        self._stack.callback(delattr, owner, name)
        setattr(owner, name, value)

    def set_item(self, mapping: MutableMapping[Any, Any], key: str, value: Any) -> None:
        """Sets `mapping[key]`, which must exist."""
        self._stack.callback(mapping.__setitem__, key, mapping[key])
        mapping[key] = value

    def undo(self) -> None:
        """Puts everything back."""
        self._stack.close()
