"""Blocks of features as Arrow record batches, with what GDAL reads of a column's title, unit and domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import nanoarrow as na
import numpy as np
import shapely

from functions.gis_export.domain.copy_text import ColumnValues, bytes_of
from functions.gis_export.domain.layer_file import FeatureBlock, FileColumn
from functions.gis_export.domain.shapes import Mask

GEOMETRY = "geometry"
"""The column of the features' geometries."""
WKT_DECIMALS = 9
"""A tenth of a millimetre in degrees."""

_TYPES = {
    "text": na.string(),
    "integer": na.int32(),
    "real": na.float64(),
    "date": na.date32(),
    "datetime": na.timestamp("ms", "UTC"),
    "boolean": na.bool_(),
}
_WIDTHS = {"integer": np.int32, "real": np.float64, "date": np.int32, "datetime": np.int64}


GeometryForm = Literal["wkb", "wkt", "xy"]
"""A geometry as a column of WKB, as one of WKT, or as the two of X and Y."""


def schema(columns: Sequence[FileColumn], form: GeometryForm, *, domains: bool) -> Any:
    """The schema of a layer's batches; with `domains` columns refer to their coded domain."""
    fields = {column.name: _field(column, domains=domains) for column in columns}
    forms = {
        "wkb": {GEOMETRY: na.Schema(na.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})},
        "wkt": {"WKT": na.string()},
        "xy": {"X": na.float64(), "Y": na.float64()},
    }
    if form == "wkb":
        return na.c_schema(na.struct({**fields, **forms[form]}))
    return na.c_schema(na.struct({**forms[form], **fields}))


def batch(of: Any, columns: Sequence[FileColumn], form: GeometryForm, block: FeatureBlock) -> Any:
    """A block of features as a record batch of the schema `of`."""
    arrays = [_array(column, values) for column, values in zip(columns, block.values, strict=True)]
    match form:
        case "wkb":
            arrays = [*arrays, _binary(na.binary(), shapely.to_wkb(block.shapes))]
        case "wkt":
            texts = [text.encode() for text in shapely.to_wkt(block.shapes, rounding_precision=WKT_DECIMALS)]
            arrays = [_binary(na.string(), texts), *arrays]
        case "xy":
            coordinates = (shapely.get_x(block.shapes), shapely.get_y(block.shapes))
            length = block.shapes.size
            arrays = [*(na.c_array_from_buffers(na.float64(), length, [None, each]) for each in coordinates), *arrays]
    return na.c_array_from_buffers(of, int(block.shapes.size), [None], children=arrays)


def _binary(of: Any, values: Sequence[bytes]) -> Any:
    column = bytes_of(values, np.ones(len(values), dtype=np.bool_))
    return na.c_array_from_buffers(of, len(values), [None, column.values, column.data])


def empty_batch(of: Any) -> Any:
    """A record batch without rows."""
    return na.c_array([], of)


def text_batch(of: Any, rows: Sequence[Sequence[str]]) -> Any:
    """Rows of texts as a record batch without geometries."""
    arrays = [na.c_array(list(texts), na.string()) for texts in zip(*rows, strict=True)]
    return na.c_array_from_buffers(of, len(rows), [None], children=arrays)


def text_schema(names: Sequence[str]) -> Any:
    """The schema of a table of texts."""
    return na.c_schema(na.struct({name: na.string() for name in names}))


def _field(column: FileColumn, *, domains: bool) -> Any:
    metadata = {"GDAL:OGR:alternative_name": column.column.title}
    if column.column.unit:
        metadata["GDAL:OGR:comment"] = column.column.unit
    if domains and column.column.domain is not None:
        metadata["GDAL:OGR:domain_name"] = column.column.domain.name
    return na.Schema(_type(column), metadata=metadata)


def _type(column: FileColumn) -> Any:
    return na.int64() if column.is_wide else _TYPES[column.kind]


def _array(column: FileColumn, values: ColumnValues) -> Any:
    length = values.known.size
    validity = _bits(values.known)
    if column.kind == "text":
        buffers = [validity, values.values, values.data]
    elif column.kind == "boolean":
        buffers = [validity, np.packbits(values.values, bitorder="little")]
    else:
        width = np.int64 if column.is_wide else _WIDTHS[column.kind]
        buffers = [validity, values.values.astype(width, copy=False)]
    return na.c_array_from_buffers(_type(column), length, buffers)


def _bits(known: Mask) -> Any:
    return None if known.all() else np.packbits(known, bitorder="little")
