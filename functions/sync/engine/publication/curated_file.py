"""Curated files as Parquet, with the types of the table's columns; those of properties as GeoParquet."""

import json
import struct

import polars as pl

from functions.sync.parquet_objects import put_frame
from shared.mapping.curated_tables import GEOMETRY, VALID_FROM, VERSION, is_located
from shared.mapping.targets import ColumnKind, TargetColumn, target_tables

_POINT = struct.Struct("<BIdd")
_WKB_POINT = 1
_LITTLE_ENDIAN = 1


def write_file(table: str, key: str, texts: pl.DataFrame) -> None:
    """Write rows as `repository.published` reads them: every column of the table as text, `version`, `valid_from`."""
    frame = texts.select(
        *(_typed(column) for column in target_tables()[table].columns.values()),
        pl.col(VERSION).cast(pl.Int32),
        pl.from_epoch(pl.col(VALID_FROM).cast(pl.Int64), time_unit="us").dt.replace_time_zone("UTC"),
    )
    if is_located(table):
        shapes = frame.height - frame.get_column(GEOMETRY).null_count()
        frame = _with_points(frame)
        put_frame(key, frame, metadata={"geo": _geo_metadata(frame, shapes)})
    else:
        put_frame(key, frame)


def _typed(column: TargetColumn) -> pl.Expr:
    text = pl.col(column.name)
    match column.kind:
        case ColumnKind.INTEGER:
            return text.cast(pl.Int32)
        case ColumnKind.NUMERIC:
            return text.cast(pl.Decimal(column.precision, column.scale))
        case ColumnKind.FLOAT:
            return text.cast(pl.Float64)
        case ColumnKind.DATE:
            return text.str.to_date("%Y-%m-%d")
        case ColumnKind.BOOLEAN:
            return (text == "t").alias(column.name)
        case ColumnKind.TIMESTAMP:
            return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
        case ColumnKind.GEOMETRY:
            return text.str.slice(len("\\x")).str.decode("hex")
        case _:
            return text


def _with_points(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the point of longitude and latitude as the geometry of rows without one; NULL where one is."""
    places = zip(frame.get_column("longitude").to_list(), frame.get_column("latitude").to_list(), strict=True)
    points = [None if x is None or y is None else _POINT.pack(_LITTLE_ENDIAN, _WKB_POINT, x, y) for x, y in places]
    return frame.with_columns(pl.coalesce(pl.col(GEOMETRY), pl.Series(GEOMETRY, points, dtype=pl.Binary)))


def _geo_metadata(frame: pl.DataFrame, shapes: int) -> str:
    """GeoParquet 1.1 metadata: geometry column, encoding, types. Its default CRS is WGS 84.

    Types and bounding box are left out where rows have geometries of the county's own: both would have to be computed
    from each.
    """
    column: dict[str, object] = {"encoding": "WKB", "geometry_types": [] if shapes else ["Point"]}
    located = frame.filter(pl.col(GEOMETRY).is_not_null())
    if located.height and not shapes:
        column["bbox"] = [
            located.get_column("longitude").min(),
            located.get_column("latitude").min(),
            located.get_column("longitude").max(),
            located.get_column("latitude").max(),
        ]
    return json.dumps({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}})
