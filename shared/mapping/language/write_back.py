"""The way back of a mapping: which decided fields go to which columns of the county's system, and as what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
ColumnType = Literal["text", "number", "date"]


def _as_tuple(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Position(_Element):
    """The place of a column in a line of fixed width; the first character is number 1."""

    start: Annotated[int, Field(ge=1, le=100_000)]
    length: Annotated[int, Field(ge=1, le=4_000)]

    @property
    def end(self) -> int:
        """The number of its last character."""
        return self.start + self.length - 1


class WriteBackColumn(_Element):
    """A field that goes back, and the column that it goes to: by default the field's only source."""

    target: Name
    source: Name | None = None


class WriteBackTable(_Element):
    """The way back of one target table.

    `source_table_name` is the table that is changed; by default the table mapping's own. `key` are the columns that
    find its row, which the table mapping reads under the same names; by default `primary_key_source_fields`. `where`
    are columns that have one value in every row to change (`{cur: "Y"}`); an empty text is one, null is NULL. `columns`
    are the fields that go back; by default all whose way can be inverted and whose source column fills no other field.
    `column_types` are the types of the system's columns where they are not the field's own: a number that the system
    keeps as text. `positions` are the places of a line of fixed width.
    """

    target_table_name: Name
    source_table_name: Name | None = None
    key: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(max_length=8)] = ()
    where: Annotated[dict[Name, str | None], Field(max_length=20)] = {}
    columns: Annotated[tuple[WriteBackColumn, ...], Field(max_length=100)] = ()
    column_types: Annotated[dict[Name, ColumnType], Field(max_length=100)] = {}
    positions: Annotated[dict[Name, Position], Field(max_length=100)] = {}


class WriteBack(_Element):
    """The product of decided values for the county's system: a script of its `dialect`, or a file to import."""

    format: Literal["sql", "csv", "fixed_width", "xlsx"]
    dialect: Literal["sqlserver", "oracle", "postgresql"] | None = None
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    tables: Annotated[tuple[WriteBackTable, ...], Field(min_length=1, max_length=20)]
