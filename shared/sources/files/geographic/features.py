"""The features of a layer in batches, with the columns of source rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import nanoarrow as na
import numpy as np
from pyogrio import raw

from shared.contracts.source_rows import VALUE_FAULTS, value_fault
from shared.counties.source_description import ShapeFile
from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.sources.files.geographic import columns as arrow
from shared.sources.files.geographic.geometries import place_geometries
from shared.sources.files.geographic.layer import RAW_BYTES_ENCODING, Layer
from shared.sources.files.geographic.problems import refusal

_NUMBER = "OGC_FID"
"""GDAL's name of the features' ids where the layer has none."""
_TYPES = {
    "b": "boolean", "c": "integer", "s": "integer", "i": "integer", "l": "integer", "f": "float", "g": "float",
    "u": "text", "U": "text", "z": "binary", "Z": "binary", "tdD": "date", "tdm": "date", "ttm": "time",
}  # fmt: skip
"""Names of columns' types by Arrow's format."""

# GDAL marks geometries with an extension type of GeoArrow, which nanoarrow reads as the binary values that they are
warnings.filterwarnings("ignore", message=".*unregistered extension", module="nanoarrow")


class FeatureReader:
    """Reader of a layer from its beginning; with `rows` of the first rows only."""

    def __init__(self, layer: Layer, batch_rows: int, rows: int | None, *, any_geometry: bool = False) -> None:
        self._layer = layer
        self._any_geometry = any_geometry
        self._batch_rows = batch_rows
        self._rows = rows
        self._is_shapefile = isinstance(layer.description, ShapeFile)
        self._texts = arrow.Texts(layer.encoding, as_bytes=self._is_shapefile)
        self._start = 0
        self.columns: dict[str, str] = {}
        """The columns with their types, once a batch has been read."""
        if layer.has_shapes:
            layer.transformer  # noqa: B018 - refused before reading

    def batches(self) -> Iterator[Any]:
        """The rows; an empty layer has one empty batch, so that its columns are known."""
        options: dict[str, Any] = {"encoding": RAW_BYTES_ENCODING} if self._is_shapefile else {}
        size = self._batch_rows if self._rows is None else min(self._rows, self._batch_rows)
        has_batches = False
        with raw.open_arrow(self._layer.path, self._layer.name, batch_size=size, return_fids=True, **options) as (
            described,
            stream,
        ):
            source = na.c_array_stream(stream)
            schema = source.get_schema()
            for batch in source:
                has_batches = True
                yield self._columns_of(batch, described)
                if self._rows is not None and self._start >= self._rows:
                    return
        if not has_batches:
            yield self._columns_of(na.c_array_from_buffers(schema, 0, [None], children=_nothing(schema)), described)

    def _columns_of(self, batch: Any, described: dict[str, Any]) -> Any:
        children = {child.name: batch.child(index) for index, child in enumerate(batch.schema.children)}
        fid = described["fid_column"]
        geometry = described["geometry_name"] or "wkb_geometry"
        faults: list[list[str]] = [[] for _ in range(batch.length)]
        columns: dict[str, Any] = {}
        for name, column in children.items():
            if name == geometry or (name == fid and self._layer.fid_column is None):
                continue
            columns[self._texts.name(name)] = self._texts.column(self._texts.name(name), column, faults)
        self._require_encoding(faults)
        if self._layer.has_shapes and geometry in children:
            columns |= self._shapes(children[geometry], children[fid], faults)
        self._start += batch.length
        if not self.columns:
            self.columns = {name: _TYPES.get(c.schema.format.split(":")[0], "other") for name, c in columns.items()}
            self.columns |= {WKB: "geometry"} if WKB in columns else {}
            self.columns[VALUE_FAULTS] = "fault"
        columns[VALUE_FAULTS] = arrow.text_column(["\n".join(of_row) or None for of_row in faults])
        return arrow.batch_of(columns, batch.length)

    def _require_encoding(self, faults: list[list[str]]) -> None:
        """Raise Unprocessable where a file without a declared encoding is not in the assumed one."""
        row, fault = next(((row, fault[0]) for row, fault in enumerate(faults) if fault), (0, None))
        if fault is not None and not self._texts.declared:
            name, _, reason = fault.partition("\t")
            raise refusal(
                f"{self._layer.file}, record {self._start + row + 1}, {name}: {reason}, and neither a .cpg nor the .dbf"
                " says its encoding. Say it with the setting `encoding` (cp1252 is the usual one of Windows).",
                "file-encoding",
            )

    def _shapes(self, column: Any, fids: Any, faults: list[list[str]]) -> dict[str, Any]:
        numbers = arrow.whole_numbers(fids)

        def linear(rows: list[int]) -> dict[int, bytes]:
            return self._linear(rows, numbers[rows])

        placed = place_geometries(
            arrow.binaries(column),
            self._layer.transformer,
            self._layer.system,
            linear,
            any_geometry=self._any_geometry,
        )
        for row, fault in enumerate(placed.faults):
            if fault is not None:
                faults[row] += [value_fault(name, fault) for name in (WKB, LONGITUDE, LATITUDE)]
        return {
            WKB: arrow.binary_column(placed.wkb),
            LONGITUDE: arrow.number_column(placed.longitude),
            LATITUDE: arrow.number_column(placed.latitude),
        }

    def _linear(self, rows: list[int], fids: Any) -> dict[int, bytes]:
        """Geometries with arcs, read again by their ids: then GDAL approximates arcs by line segments."""
        _, read_fids, shapes, _ = raw.read(
            self._layer.path, self._layer.name, fids=np.sort(fids), columns=[], return_fids=True
        )
        by_number = dict(zip(read_fids.tolist(), shapes, strict=True))
        return {row: by_number[fid] for row, fid in zip(rows, fids.tolist(), strict=True) if by_number.get(fid)}


def _nothing(schema: Any) -> list[Any]:
    return [na.c_array([], child) for child in schema.children]
