"""GeoParquet 1.1: Apache Parquet with WKB geometries and a description of them in the file's metadata.

GDAL's driver is not among those that pyogrio brings, and no library that writes Parquet fits beside GDAL into a
function's 250 MB. Of the format what is written is its plainest part: one data page a column and group of rows, PLAIN
values, gzip (Apache Parquet format, parquet.thrift; Thrift compact protocol).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from functions.gis_export.domain.copy_text import ColumnValues, bytes_of
from functions.gis_export.domain.layer_file import FeatureBlock, FileColumn, FileLayer
from functions.gis_export.domain.shapes import Mask
from functions.gis_export.writers.thrift import I32, I64, BinaryList, Struct, StructList, encoded

_MAGIC = b"PAR1"
_BOOLEAN, _INT32, _INT64, _DOUBLE, _BYTE_ARRAY = 0, 1, 2, 5, 6
_OPTIONAL = 1
_UTF8, _DATE, _TIMESTAMP_MILLIS = 0, 6, 9
_PLAIN, _RLE = 0, 3
_GZIP = 2
_GZIP_LEVEL = 4
"""A choice: of 1 to 9, a third of the time of the default level for a twentieth more bytes."""
_GZIP_FORMAT = 31
"""zlib's window of 15 bits and gzip's header."""

_GEOMETRY = "geometry"
_TYPE_NAMES = ("Point", "LineString", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")


@dataclass
class _Extent:
    """What the file says of its geometries."""

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
        self._columns = layer.columns
        self._code = code
        self._path = path
        self._rows = 0
        self._groups: list[Struct] = []
        self._extent = _Extent()

    def __enter__(self) -> GeoParquetFile:
        self._file = self._path.open("wb")
        self._file.write(_MAGIC)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                footer = encoded(self._footer())
                self._file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        finally:
            self._file.close()

    def add(self, block: FeatureBlock) -> None:
        """Write a block of features."""
        rows = int(block.shapes.size)
        if rows == 0:
            return
        known = np.ones(rows, dtype=np.bool_)
        chunks = [self._chunk(c.name, _physical_type(c), v) for c, v in zip(self._columns, block.values, strict=True)]
        chunks.append(self._chunk(_GEOMETRY, _BYTE_ARRAY, bytes_of(shapely.to_wkb(block.shapes), known)))
        size = sum(chunk.size for chunk in chunks)
        described = StructList([chunk.described for chunk in chunks])
        self._groups.append({1: described, 2: I64(size), 3: I64(rows)})
        self._rows += rows
        self._extent.add(block.shapes)

    def _chunk(self, name: str, physical: int, values: ColumnValues) -> _Chunk:
        page = _levels(values.known) + _plain(physical, values)
        packed = _compressed(page)
        page_of: Struct = {1: I32(values.known.size), 2: I32(_PLAIN), 3: I32(_RLE), 4: I32(_RLE)}
        header = encoded({1: I32(0), 2: I32(len(page)), 3: I32(len(packed)), 5: page_of})
        offset = self._file.tell()
        self._file.write(header + packed)
        described: Struct = {
            1: I32(physical),
            2: [I32(_PLAIN), I32(_RLE)],
            3: BinaryList([name.encode()]),
            4: I32(_GZIP),
            5: I64(values.known.size),
            6: I64(len(header) + len(page)),
            7: I64(len(header) + len(packed)),
            9: I64(offset),
        }
        return _Chunk({2: I64(offset), 3: described}, len(header) + len(page))

    def _footer(self) -> Struct:
        root: Struct = {4: b"schema", 5: I32(len(self._columns) + 1)}
        geometry: Struct = {1: I32(_BYTE_ARRAY), 3: I32(_OPTIONAL), 4: _GEOMETRY.encode()}
        pairs: list[Struct] = [{1: b"geo", 2: json.dumps(self._geo()).encode()}]
        return {
            1: I32(1),
            2: StructList([root, *map(_schema_element, self._columns), geometry]),
            3: I64(self._rows),
            4: StructList(self._groups),
            5: StructList(pairs),
            6: b"TerraFusion",
        }

    def _geo(self) -> dict[str, Any]:
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(self._extent.types),
            "crs": CRS.from_epsg(self._code).to_json_dict(),
        }
        if self._extent.bounds:
            column["bbox"] = self._extent.box
        return {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}


@dataclass(frozen=True)
class _Chunk:
    described: Struct
    size: int


def _schema_element(column: FileColumn) -> Struct:
    element: Struct = {1: I32(_physical_type(column)), 3: I32(_OPTIONAL), 4: column.name.encode()}
    match column.kind:
        case "text":
            return element | {6: I32(_UTF8), 10: {1: {}}}
        case "date":
            return element | {6: I32(_DATE), 10: {6: {}}}
        case "datetime":
            return element | {6: I32(_TIMESTAMP_MILLIS), 10: {8: {1: True, 2: {1: {}}}}}
        case _:
            return element


def _physical_type(column: FileColumn) -> int:
    if column.kind == "integer":
        return _INT64 if column.is_wide else _INT32
    return {"text": _BYTE_ARRAY, "real": _DOUBLE, "date": _INT32, "datetime": _INT64, "boolean": _BOOLEAN}[column.kind]


def _levels(known: Mask) -> bytes:
    """Definition levels of one bit, bit-packed in one run of groups of eight."""
    bits = np.packbits(known, bitorder="little").tobytes()
    number, header = len(bits) << 1 | 1, bytearray()
    while number >= 128:
        header.append(number & 127 | 128)
        number >>= 7
    header.append(number)
    run = bytes(header) + bits
    return len(run).to_bytes(4, "little") + run


def _plain(physical: int, values: ColumnValues) -> bytes:
    """The values that are not null."""
    if physical == _BYTE_ARRAY:
        return _byte_arrays(values)
    present = values.values[values.known]
    if physical == _BOOLEAN:
        return np.packbits(present, bitorder="little").tobytes()
    width = {_INT32: "<i4", _INT64: "<i8", _DOUBLE: "<f8"}[physical]
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


def _compressed(page: bytes) -> bytes:
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    return packer.compress(page) + packer.flush()
