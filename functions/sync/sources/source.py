"""What every source can do. A new sort of source is a class with these methods, and a line in `opening`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from functions.sync.domain.partitions import Key
from shared.problems import Unprocessable

if TYPE_CHECKING:
    import polars as pl

Described = TypeVar("Described")


class Ability(StrEnum):
    """What some sources can do and others cannot."""

    QUERY = "query"
    """Read a `source_query` beside a `source_table_name`."""
    KEY_RANGES = "key_ranges"
    """Cut by keys: a range still means the same rows when the source has changed. Without it ranges are places in
    the present data, so those of an earlier run do not fit; `cut` gives the same ones for the same data."""
    WATERMARK = "watermark"
    """Tell the rows whose watermark is at a value or higher."""
    CHANGE_TRACKING = "change_tracking"
    """Tell what was inserted, updated and deleted since a version."""


@dataclass(frozen=True)
class Capabilities:
    """What a source can do; `lacking` gives the reason for each ability that it has not."""

    lacking: Mapping[Ability, str] = field(default_factory=dict)

    def can(self, ability: Ability) -> bool:
        """Whether the source has an ability."""
        return ability not in self.lacking

    def require(self, ability: Ability) -> None:
        """Raise Unprocessable with the reason where the source has it not."""
        if ability in self.lacking:
            self.refuse(ability)

    def refuse(self, ability: Ability) -> NoReturn:
        """Raise Unprocessable with the reason why the source has it not."""
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
    """The rows that change tracking names as inserted or updated after `version`."""

    version: int


@dataclass(frozen=True)
class SourceTable:
    """What is read: a table or a query, the columns that order its rows, and maybe only what changed since.

    `schema`, `count`, `cut`, `keys` and `read` of a table with `since` see only those rows.
    """

    table_name: str | None
    query: str | None
    key: tuple[str, ...]
    since: Since | ChangedSince | None = None


@dataclass(frozen=True)
class TableSchema:
    """The columns of a source table with their types, as the source calls them; a plan keeps no order."""

    columns: dict[str, str]


@dataclass(frozen=True)
class KeyRange:
    """The rows with lower < key <= upper; None is open. The first range also has the rows without a key."""

    lower: Key | None
    upper: Key | None


@dataclass(frozen=True)
class Extract:
    """The rows of a range. `digest` is the same for the same rows; `frame` parses them, every column as String,
    NULL kept apart from the empty text. A row that is no row (a line of a file with too many fields) says so in the
    column `shared.mapping.READ_FAULT`, and is rejected with that reason when it is mapped; a value that cannot be read
    (an error in a cell, a day in the year 20023) is NULL, and says so in VALUE_FAULTS.
    """

    rows: int
    digest: str
    frame: Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class Sample:
    """Some rows, and the types of their columns as far as these rows tell."""

    frame: pl.DataFrame
    types: Mapping[str, str]


@dataclass(frozen=True)
class Changes:
    """What change tracking says of a table: `version` is that of now, `deleted` has the key columns of the rows that
    are gone since, as String. The rows inserted or updated are read with `SourceTable.since`.
    """

    version: int
    deleted: pl.DataFrame


class Source(Protocol):
    """A county's system. Every method raises SourceUnavailable where it cannot be reached or refuses us, and
    Unprocessable where it is asked for what its `capabilities` lack.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def schema(self, table: SourceTable) -> TableSchema:
        """The columns, without reading more rows than it takes to know them."""
        ...

    def count(self, table: SourceTable) -> int:
        """How many rows there are."""
        ...

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        """How many rows there are, and the keys of every `rows`-th one: where one range ends and the next begins."""
        ...

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        """The rows of a range, in the order of their keys."""
        ...

    def sample(self, table: SourceTable, rows: int) -> Sample:
        """Some rows, as `read` gives them, without going through the whole table."""
        ...

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The columns `columns` of every row, as String, in frames of at most some 100,000 rows: what removed rows
        are told from where a run does not read everything, and what lookups are made of.
        """
        ...

    def watermark(self, table: SourceTable, field: str) -> str | None:
        """The highest value of `field` now, as text that `Since` takes; None where no row has one.

        Read before the rows: what is committed afterwards has a higher one, or lies in the overlap (`with_overlap`).
        Raises Unprocessable where the order of the column's values is not that of time.
        """
        ...

    def change_version(self, table: SourceTable) -> int:
        """Change tracking's version now: to be kept by a run that reads everything, before it does."""
        ...

    def changes_since(self, table: SourceTable, version: int) -> Changes:
        """What happened after `version`. Raises Conflict (slug `change-tracking-expired`) where the source no longer
        remembers that far back, so that a full run is needed.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class WithoutChangeTracking:
    """The part of a source that lacks change tracking."""

    @property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    def change_version(self, table: SourceTable) -> int:  # noqa: ARG002
        self.capabilities.refuse(Ability.CHANGE_TRACKING)

    def changes_since(self, table: SourceTable, version: int) -> Changes:  # noqa: ARG002
        self.capabilities.refuse(Ability.CHANGE_TRACKING)


def configured(tables: Mapping[str, Described], name: str) -> Described:
    """What a source's configuration says of a table. Raises Unprocessable, with the names that it has."""
    if name not in tables:
        raise Unprocessable(
            f"The source has no table {name}; its configuration names: {', '.join(tables)}.",
            slug="source-table-missing",
        )
    return tables[name]


def with_overlap(watermark: str, seconds: int) -> str:
    """A watermark that many seconds earlier, so that rows that were committed late are read too.

    A value that is no time (a number, a row version) stays as it is: such values are given out in order.
    """
    if not seconds or watermark.isdigit():
        return watermark
    try:
        moment = datetime.fromisoformat(watermark)
    except ValueError:
        return watermark
    return (moment - timedelta(seconds=seconds)).isoformat("T" if "T" in watermark else " ")
