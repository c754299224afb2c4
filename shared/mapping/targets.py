"""The tables and columns that a mapping can fill, read from the models."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal

from sqlalchemy import Boolean, Date, DateTime, Float, Integer, LargeBinary, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import KeyedColumnElement

from shared.db.models import PROVENANCE, SYNC_TARGETS, key_column

TargetName = Literal["properties_operational", "improvements", "sales", "owners", "assessments", "exemptions"]
"""The tables that a mapping fills."""


class ColumnKind(StrEnum):
    """The kind of values of a target column."""

    TEXT = "text"
    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    JSON = "json"
    GEOMETRY = "geometry"


@dataclass(frozen=True)
class TargetColumn:
    """A column that a mapping can fill; `precision` and `scale` are those of NUMERIC."""

    name: str
    kind: ColumnKind
    required: bool
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class TargetTable:
    """A table that a mapping can fill. `key` is the row's own id; the county's is set by the platform."""

    name: str
    key: str
    columns: dict[str, TargetColumn]


@cache
def target_tables() -> dict[str, TargetTable]:
    """Every table that a mapping may target, by name."""
    return {name: _target_table(name) for name in SYNC_TARGETS}


def _target_table(name: str) -> TargetTable:
    model = SYNC_TARGETS[name]
    columns = {}
    for column in model.__table__.columns:
        if column.name in PROVENANCE or column.computed is not None:
            continue
        columns[column.name] = _target_column(column)
    return TargetTable(name, key_column(model), columns)


def _target_column(column: KeyedColumnElement[Any]) -> TargetColumn:
    kind = _kind(column)
    if kind is ColumnKind.NUMERIC and isinstance(column.type, Numeric):
        return TargetColumn(column.name, kind, not column.nullable, column.type.precision or 38, column.type.scale or 0)
    return TargetColumn(column.name, kind, not column.nullable)


_KINDS = (
    (Boolean, ColumnKind.BOOLEAN),
    (Integer, ColumnKind.INTEGER),
    (Float, ColumnKind.FLOAT),  # before Numeric, which it derives from
    (Numeric, ColumnKind.NUMERIC),
    (Date, ColumnKind.DATE),
    (DateTime, ColumnKind.TIMESTAMP),
    (JSONB, ColumnKind.JSON),
    (String, ColumnKind.TEXT),
    (LargeBinary, ColumnKind.GEOMETRY),
)


def _kind(column: KeyedColumnElement[Any]) -> ColumnKind:
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise LookupError(f"{column.table.name}.{column.name} has a type that mappings do not know: {column.type!r}")
