"""Rows as they are written."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.mapping.language.write_back import ColumnType, Position
from shared.problems import Unprocessable


@dataclass(frozen=True)
class WrittenTable:
    """A table of the county's system: the columns that find a row, those that are written, and how they are stored."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    where: Mapping[str, str | None]
    column_types: Mapping[str, ColumnType]
    positions: Mapping[str, Position]

    def type_of(self, column: str) -> ColumnType:
        """The type of a column in the system."""
        return self.column_types.get(column, "text")


@dataclass(frozen=True)
class WrittenRow:
    """A row to write: its key, and each column's text as it was read and as it is to be. `label` names it to people."""

    table: WrittenTable
    number: int
    label: str
    key: Mapping[str, str | None]
    read: Mapping[str, str | None]
    new: Mapping[str, str | None]

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns that get another value."""
        return tuple(name for name in self.table.columns if self.read[name] != self.new[name])

    @property
    def cells(self) -> dict[str, str | None]:
        """The whole row of a file: key and columns with their new values."""
        return {**self.key, **self.new}


def require_encodable(text: str, encoding: str, row: WrittenRow) -> None:
    """Raise Unprocessable for a text that the file's encoding does not have."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise Unprocessable(
            f"The row {row.label} has a character that {encoding} does not have: {text[error.start]!r}.",
            slug="write-back-not-encodable",
        ) from None
