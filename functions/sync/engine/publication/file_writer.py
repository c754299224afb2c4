"""One curated file: a range of a table's rows, typed, as Parquet; that of properties as GeoParquet."""

import json
import struct
from uuid import UUID

import polars as pl

from functions.sync.domain.publication import PlannedFile, Publication
from functions.sync.engine.run_context import require_going
from functions.sync.object_keys import publication_key
from functions.sync.parquet_objects import put_frame
from functions.sync.repository import published, runs
from shared import storage
from shared.db import unit_of_work
from shared.mapping.curated_tables import GEOMETRY, VALID_FROM, VERSION, is_located
from shared.mapping.targets import ColumnKind, TargetColumn, target_tables
from shared.problems import Conflict, NotFound

_POINT = struct.Struct("<BIdd")
_WKB_POINT = 1
_LITTLE_ENDIAN = 1


def write_curated_file(county_id: str, run_id: UUID, table: str, number: int) -> int:
    """Write the file of that number; how many rows it has. Safe to run again.

    Raises NotFound, and Conflict for a run that is over or a table that has other rows than when it was planned.
    """
    publication = load_publication(county_id, run_id)
    planned = publication.tables[table][number - 1]
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        require_going(run)
        columns = target_tables()[table].columns
        texts = published.rows_between(
            connection, county_id, table, list(columns), planned.lower_key, planned.file.upper_key
        )
    if texts.height != planned.file.rows:
        raise Conflict(f"{table} has {texts.height:,} rows {_range(planned)}, and had {planned.file.rows:,}.")
    write_file(table, planned.file.key, texts)
    return texts.height


def write_file(table: str, key: str, texts: pl.DataFrame) -> None:
    """Store rows as they come from `published`: every column of the table as text, `version`, `valid_from`."""
    frame = texts.select(
        *(_typed(column) for column in target_tables()[table].columns.values()),
        pl.col(VERSION).cast(pl.Int32),
        pl.from_epoch(pl.col(VALID_FROM).cast(pl.Int64), time_unit="us").dt.replace_time_zone("UTC"),
    )
    if is_located(table):
        shapes = frame.height - frame.get_column(GEOMETRY).null_count()
        frame = _located(frame)
        put_frame(key, frame, metadata={"geo": _geo_metadata(frame, shapes)})
    else:
        put_frame(key, frame)


def load_publication(county_id: str, run_id: UUID) -> Publication:
    """What the run publishes. Raises NotFound where that has not been planned."""
    return Publication.model_validate_json(storage.get(publication_key(county_id, run_id)))


def _range(planned: PlannedFile) -> str:
    return f"after {planned.lower_key or 'the beginning'} up to {planned.file.upper_key or 'the end'}"


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


def _located(frame: pl.DataFrame) -> pl.DataFrame:
    """With the point of longitude and latitude where a row has no shape of its own; NULL where one of them is."""
    places = zip(frame.get_column("longitude").to_list(), frame.get_column("latitude").to_list(), strict=True)
    points = [None if x is None or y is None else _POINT.pack(_LITTLE_ENDIAN, _WKB_POINT, x, y) for x, y in places]
    return frame.with_columns(pl.coalesce(pl.col(GEOMETRY), pl.Series(GEOMETRY, points, dtype=pl.Binary)))


def _geo_metadata(frame: pl.DataFrame, shapes: int) -> str:
    """GeoParquet 1.1: which column is a geometry, of what type and in which encoding. WGS 84 is its default CRS.

    Of files with shapes of the county's own, neither their types nor their extent is said: it would have to be
    computed from each.
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
