"""The source of an upload's run: its file, and for lookups the county's parcels by their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
from pg8000.native import literal

from shared.db import unit_of_work
from shared.db.copying import copy_out
from shared.sources.files.source import FilesSource
from shared.sources.source import SourceTable, TableSchema
from shared.uploads.source_tables import PARCELS_TABLE

_PARCELS_COLUMNS = {"parcel_number": "text", "property_id": "text"}


class UploadSource(FilesSource):
    """The file, and the parcels of the county with a number that no other parcel has."""

    def schema(self, table: SourceTable) -> TableSchema:
        return TableSchema(_PARCELS_COLUMNS) if table.table_name == PARCELS_TABLE else super().schema(table)

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        if table.table_name == PARCELS_TABLE:
            return iter((_parcels(self._county_id).select(columns),))
        return super().keys(table, columns)


def _parcels(county_id: str) -> pl.DataFrame:
    query = (
        "SELECT trim(parcel_number) AS parcel_number, min(property_id) AS property_id FROM properties_operational"  # noqa: S608 - a literal
        f" WHERE county_id = {literal(county_id)} AND retired_at IS NULL AND trim(parcel_number) <> ''"
        " GROUP BY 1 HAVING count(*) = 1"
    )
    with unit_of_work(county_id) as connection:
        rows, _ = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    return pl.read_csv(rows, infer_schema=False)
