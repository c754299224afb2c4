"""GeoParquet 1.1: Parquet with WKB geometries and a description of them in the file's metadata.

GDAL's driver for it is not among those that pyogrio brings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from functions.gis_export.domain.copy_text import ColumnValues, bytes_of
from functions.gis_export.domain.layer_file import FeatureBlock, FileColumn, FileLayer
from shared.parquet import ParquetWriter, PhysicalType, StoredColumn, StoredValues, bit_packed
from shared.parquet.thrift import Struct

# numbers of the format's converted types
_UTF8, _DATE, _TIMESTAMP_MILLIS = 0, 6, 9

_GEOMETRY = "geometry"
_TYPE_NAMES = ("Point", "LineString", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")


@dataclass
class _Extent:
    """The geometry types of a file, and the extent of its shapes."""

    types: set[str] = field(default_factory=set)
    bounds: list[Any] = field(default_factory=list)

    def add(self, shapes: Any) -> None:
        self.types.update(_TYPE_NAMES[number] for number in np.unique(shapely.get_type_id(shapes)) if number < 7)
        self.bounds.append(shapely.total_bounds(shapes))

    @property
    def box(self) -> list[float]:
        bounds = np.array(self.bounds)
        return [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()]


class GeoParquetFile:
    """A layer that takes blocks of features, each of which becomes a group of rows."""

    def __init__(self, path: Path, layer: FileLayer, code: int) -> None:
        """`code` is the EPSG code of the coordinates."""
        self._columns = [_stored_column(column) for column in layer.columns]
        self._code = code
        self._file = ParquetWriter(path, [*self._columns, StoredColumn(_GEOMETRY, PhysicalType.BYTE_ARRAY)])
        self._extent = _Extent()

    def __enter__(self) -> GeoParquetFile:
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self._file.metadata["geo"] = json.dumps(self._geo())
        self._file.__exit__(kind, *error)

    def add(self, block: FeatureBlock) -> None:
        """Write a block of features."""
        rows = int(block.shapes.size)
        if rows == 0:
            return
        shapes = bytes_of(shapely.to_wkb(block.shapes), np.ones(rows, dtype=np.bool_))
        values = [_stored(column.physical, each) for column, each in zip(self._columns, block.values, strict=True)]
        self._file.add(rows, [*values, _stored(PhysicalType.BYTE_ARRAY, shapes)])
        self._extent.add(block.shapes)

    def _geo(self) -> dict[str, Any]:
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(self._extent.types),
            "crs": CRS.from_epsg(self._code).to_json_dict(),
        }
        if self._extent.bounds:
            column["bbox"] = self._extent.box
        return {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}


def _stored_column(column: FileColumn) -> StoredColumn:
    match column.kind:
        case "text":
            return StoredColumn(column.name, PhysicalType.BYTE_ARRAY, {6: _UTF8, 10: {1: {}}})
        case "date":
            return StoredColumn(column.name, PhysicalType.INT32, {6: _DATE, 10: {6: {}}})
        case "datetime":
            annotations: Struct = {6: _TIMESTAMP_MILLIS, 10: {8: {1: True, 2: {1: {}}}}}
            return StoredColumn(column.name, PhysicalType.INT64, annotations)
        case "integer":
            return StoredColumn(column.name, PhysicalType.INT64 if column.is_wide else PhysicalType.INT32)
        case "real":
            return StoredColumn(column.name, PhysicalType.DOUBLE)
        case "boolean":
            return StoredColumn(column.name, PhysicalType.BOOLEAN)


def _stored(physical: PhysicalType, values: ColumnValues) -> StoredValues:
    return StoredValues(bit_packed(np.packbits(values.known, bitorder="little").tobytes()), _plain(physical, values))


def _plain(physical: PhysicalType, values: ColumnValues) -> bytes:
    """The values that are not null."""
    if physical is PhysicalType.BYTE_ARRAY:
        return _byte_arrays(values)
    present = values.values[values.known]
    if physical is PhysicalType.BOOLEAN:
        return np.packbits(present, bitorder="little").tobytes()
    width = {PhysicalType.INT32: "<i4", PhysicalType.INT64: "<i8", PhysicalType.DOUBLE: "<f8"}[physical]
    return bytes(present.astype(width).tobytes())


def _byte_arrays(values: ColumnValues) -> bytes:
    """Each value with its length in front; a null value has no bytes, and must have no length either."""
    lengths = np.diff(values.values)[values.known].astype("<u4")
    starts = np.arange(1, lengths.size + 1) * 4
    data = np.frombuffer(values.data, dtype=np.uint8)
    written = np.empty(data.size + 4 * lengths.size, dtype=np.uint8)
    heads = np.concatenate(([0], np.cumsum(lengths[:-1], dtype=np.int64))) + starts - 4 if lengths.size else starts
    is_head = np.zeros(written.size, dtype=np.bool_)
    for byte in range(4):
        is_head[heads + byte] = True
    written[is_head] = lengths.view(np.uint8)
    written[~is_head] = data
    return written.tobytes()
