"""What every source can do. A new sort of source is a class with these methods, and a line in `opening`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

Key = list[str | int]
"""The value of a row's key columns, as JSON can hold it."""


@dataclass(frozen=True)
class SourceTable:
    """What is read: a table or a query, and the columns that order its rows."""

    table_name: str | None
    query: str | None
    key: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """The columns of a source table with their types, as the source calls them, in its order."""

    columns: dict[str, str]


@dataclass(frozen=True)
class KeyRange:
    """The rows with lower < key <= upper; None is open. The first range also has the rows without a key."""

    lower: Key | None
    upper: Key | None


@dataclass(frozen=True)
class Extract:
    """The rows of a range. `digest` is the same for the same rows; `frame` parses them, every column as String,
    NULL kept apart from the empty text.
    """

    rows: int
    digest: str
    frame: Callable[[], pl.DataFrame]


class Source(Protocol):
    """A county's system. Every method raises SourceUnavailable where it cannot be reached or refuses us."""

    def shape(self, table: SourceTable) -> Shape:
        """The columns, without reading a row."""
        ...

    def count(self, table: SourceTable) -> int:
        """How many rows there are."""
        ...

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        """How many rows there are, and the keys of every `rows`-th one: where one range ends and the next begins."""
        ...

    def read(self, table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        """The rows of a range, in the order of their keys."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
