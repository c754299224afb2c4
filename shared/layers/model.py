"""The description of a map layer: columns with types, units and codes, and the SQL of its rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from shared.access import Permission

ColumnKind = Literal["text", "integer", "real", "date", "datetime", "boolean"]
GeometryKind = Literal["point", "line", "polygon", "mixed"]
"""The geometry type of a layer's features; several points count as points, and so on."""

_COUNTY = "{county_id}"
NO_COORDINATE = "CAST(NULL AS double precision)"
"""The longitude and latitude of a layer whose rows have shapes alone."""


@dataclass(frozen=True)
class CodedDomain:
    """The codes of a column with their meaning; `name` is unique among a county's layers."""

    name: str
    title: str
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A column of a layer; `expression` is its SQL. `wide` integers need more than 32 bits."""

    name: str
    title: str
    kind: ColumnKind
    expression: str
    unit: str | None = None
    domain: CodedDomain | None = None
    wide: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer: its columns, and the tables and condition that select its rows.

    `key` names the column that identifies a feature. `shape` is the SQL of a feature's geometry (WKB, WGS 84),
    `longitude` and `latitude` that of its point: a layer of points has the point, or one inside the shape where there
    is no point; others have the shape, or the point where there is no shape. `bounds` is the SQL of west, south, east
    and north as an index has them, each NULL where only the shape says where the feature lies; of a layer with
    `indexed_by_point` they are those of the point, which the shape goes beyond. `permission` is that to read the layer.
    """

    name: str
    title: str
    description: str
    geometry: GeometryKind
    key: str
    columns: tuple[Column, ...]
    tables: str
    condition: str
    shape: str
    longitude: str
    latitude: str
    bounds: tuple[str, str, str, str]
    permission: Permission
    indexed_by_point: bool = False

    @cached_property
    def columns_by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def key_column(self) -> Column:
        """The column that identifies a feature."""
        return self.columns_by_name[self.key]

    @property
    def is_of_points(self) -> bool:
        """True where every feature is the row's point, or one inside its shape."""
        return self.geometry == "point" and self.longitude != NO_COORDINATE

    @property
    def domains(self) -> tuple[CodedDomain, ...]:
        """The coded domains of the columns, each once."""
        return tuple(dict.fromkeys(column.domain for column in self.columns if column.domain is not None))

    def rows_sql(self, county_id: str) -> str:
        """The rows as `tables WHERE condition`.

        `county_id` is SQL: a parameter, or a literal where a statement takes none.
        """
        return f"{self.tables.replace(_COUNTY, county_id)} WHERE {self.condition.replace(_COUNTY, county_id)}"
