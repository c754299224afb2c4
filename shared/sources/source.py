"""The protocol of sources. A new kind of source is a class with these methods, and a case in `opening`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from shared.contracts.source_rows import Key
from shared.problems import Unprocessable

if TYPE_CHECKING:
    import polars as pl

Described = TypeVar("Described")


class Ability(StrEnum):
    """Abilities that some sources have and others lack."""

    QUERY = "query"
    """Read a `source_query` beside a `source_table_name`."""
    KEY_RANGES = "key_ranges"
    """Ranges of keys: a range still means the same rows when the source has changed. Without it ranges are positions in
    the present data and not valid for a later run; `cut` gives the same ones for the same data."""
    WATERMARK = "watermark"
    """Read the rows whose watermark is at a value or higher."""
    CHANGE_TRACKING = "change_tracking"
    """Read the rows inserted, updated and deleted since a version."""


@dataclass(frozen=True)
class Capabilities:
    """The abilities of a source; `lacking` gives the reason for each that it lacks."""

    lacking: Mapping[Ability, str] = field(default_factory=dict)

    def can(self, ability: Ability) -> bool:
        """True where the source has an ability."""
        return ability not in self.lacking

    def require(self, ability: Ability) -> None:
        """Raise Unprocessable with the reason where the source lacks it."""
        if ability in self.lacking:
            self.refuse(ability)

    def refuse(self, ability: Ability) -> NoReturn:
        """Raise Unprocessable with the reason for which the source lacks it."""
        raise Unprocessable(self.lacking[ability], slug=f"source-without-{ability.replace('_', '-')}")


@dataclass(frozen=True)
class Since:
    """The rows whose watermark `field` is `value` (of `Source.watermark`, or of `with_overlap`) or higher.

    Rows without a watermark are not among them.
    """

    field: str
    value: str


@dataclass(frozen=True)
class ChangedSince:
    """The rows that change tracking reports as inserted or updated after `version`."""

    version: int


@dataclass(frozen=True)
class SourceTable:
    """A table or a query to read, with the columns that order its rows; with `since` only the rows changed since then.

    `schema`, `count`, `cut`, `keys` and `read` of a table with `since` see only those rows.
    """

    table_name: str | None
    query: str | None
    key: tuple[str, ...]
    since: Since | ChangedSince | None = None


@dataclass(frozen=True)
class TableSchema:
    """The columns of a source table by name, with their types as the source calls them; their order has no meaning."""

    columns: dict[str, str]


@dataclass(frozen=True)
class KeyRange:
    """The rows with lower < key <= upper; None is open. The first range also has the rows without a key."""

    lower: Key | None
    upper: Key | None


@dataclass(frozen=True)
class Extract:
    """The rows of a range. `digest` is the same for the same rows; `frame` parses them, every column as String, with
    NULL distinct from the empty text.

    A malformed row (a line with too many fields) has its reason in the column `shared.mapping.READ_FAULT`, for which
    the mapping rejects it. A value that cannot be read (an error in a cell, a day in the year 20023) is NULL, with its
    reason in VALUE_FAULTS."""

    rows: int
    digest: str
    frame: Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class Sample:
    """Some rows, and the types of their columns as far as these rows show them."""

    frame: pl.DataFrame
    types: Mapping[str, str]


@dataclass(frozen=True)
class Changes:
    """Changes of a table by change tracking: the present `version`, and the key columns of `deleted` rows as String.

    Rows inserted or updated are read with `SourceTable.since`.
    """

    version: int
    deleted: pl.DataFrame


class Source(Protocol):
    """A county's system. Every method raises SourceUnavailable where it cannot be reached or refuses us, and
    Unprocessable where it is asked for what its `capabilities` lack.
    """

    @property
    def capabilities(self) -> Capabilities:
        """Its abilities."""
        ...

    def schema(self, table: SourceTable) -> TableSchema:
        """The columns, with as few rows read as their types require."""
        ...

    def count(self, table: SourceTable) -> int:
        """The number of rows."""
        ...

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        """The number of rows, and the key of every `rows`-th one, at which a range ends."""
        ...

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        """The rows of a range, in the order of their keys."""
        ...

    def sample(self, table: SourceTable, rows: int) -> Sample:
        """Some rows as `read` gives them, without reading the whole table."""
        ...

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Some columns of every row, as String, in frames of some 100,000 rows at most: for lookups, and for finding
        removed rows in an incremental run.
        """
        ...

    def watermark(self, table: SourceTable, field: str) -> str | None:
        """The present maximum of `field`, as text for `Since`; None where no row has a value.

        Read before the rows: rows committed afterwards have a higher one, or lie in the overlap (`with_overlap`).
        Raises Unprocessable where the column's values do not sort by time.
        """
        ...

    def change_version(self, table: SourceTable) -> int:
        """The present version of change tracking, which a full read keeps before it reads."""
        ...

    def changes_since(self, table: SourceTable, version: int) -> Changes:
        """The changes after `version`. Raises Conflict (slug `change-tracking-expired`) where the source has discarded
        some of them, so that a full run is needed.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class WithoutChangeTracking:
    """Mixin of sources that lack change tracking."""

    @property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def change_version(self, table: SourceTable) -> int:  # noqa: ARG002
        self.capabilities.refuse(Ability.CHANGE_TRACKING)

    def changes_since(self, table: SourceTable, version: int) -> Changes:  # noqa: ARG002
        self.capabilities.refuse(Ability.CHANGE_TRACKING)


def table_description(tables: Mapping[str, Described], name: str) -> Described:
    """The description of a table in a source's configuration. Raises Unprocessable with the configured names."""
    if name not in tables:
        raise Unprocessable(
            f"The source has no table {name}; its configuration names: {', '.join(tables)}.",
            slug="source-table-missing",
        )
    return tables[name]


def with_overlap(watermark: str, seconds: int) -> str:
    """A watermark moved back by `seconds`, so that rows that were committed late are read too.

    A value that is not a time (a number, a row version) stays: such values are assigned in order.
    """
    if not seconds or watermark.isdigit():
        return watermark
    try:
        moment = datetime.fromisoformat(watermark)
    except ValueError:
        return watermark
    return (moment - timedelta(seconds=seconds)).isoformat("T" if "T" in watermark else " ")
