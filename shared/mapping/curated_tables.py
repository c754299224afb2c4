"""The columns of the curated tables, which Publish writes to Parquet and the catalogue describes for Athena."""

from dataclasses import dataclass

from shared.mapping.targets import ColumnKind, TargetColumn, target_tables

GEOMETRY = "geometry"
"""WKB, WGS 84: the county's own shape, or the point of longitude and latitude. It makes a file a layer (GeoParquet)."""
VERSION = "version"
VALID_FROM = "valid_from"
"""Time at which the version was made (UTC)."""

_HIVE = {
    ColumnKind.TEXT: "string",
    ColumnKind.INTEGER: "int",
    ColumnKind.FLOAT: "double",
    ColumnKind.DATE: "date",
    ColumnKind.TIMESTAMP: "timestamp",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.JSON: "string",
    ColumnKind.GEOMETRY: "binary",
}


@dataclass(frozen=True)
class CuratedColumn:
    """A column of a curated table; `hive_type` is its type as Hive, Glue and Athena name it."""

    name: str
    hive_type: str


def curated_columns(table: str) -> list[CuratedColumn]:
    """The columns of a table's files, in their order."""
    columns = target_tables()[table].columns
    filled = [CuratedColumn(column.name, _hive_type(column)) for column in columns.values()]
    return [*filled, CuratedColumn(VERSION, "int"), CuratedColumn(VALID_FROM, "timestamp")]


def is_located(table: str) -> bool:
    """True for a table whose rows have a geometry."""
    return GEOMETRY in target_tables()[table].columns


def _hive_type(column: TargetColumn) -> str:
    if column.kind is ColumnKind.NUMERIC:
        return f"decimal({column.precision},{column.scale})"
    return _HIVE[column.kind]
