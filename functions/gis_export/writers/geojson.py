"""GeoJSON (RFC 7946): one FeatureCollection a layer; several layers are put into one ZIP archive.

Coordinates are WGS 84, longitude first, to seven decimals (a centimetre); outer rings run counterclockwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import orjson
import shapely

from functions.gis_export.domain.features import Add, ColumnValues, Features
from functions.gis_export.domain.layers import Layer
from functions.gis_export.domain.shapes import Shapes

DECIMALS = 7

_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


class GeoJsonFile:
    """A FeatureCollection on disk, which takes one layer."""

    content_type = "application/geo+json"

    def __init__(self, folder: Path, stem: str) -> None:
        self.path = folder / f"{stem}.geojson"

    @contextmanager
    def layer(self, layer: Layer, geometry_type: str) -> Iterator[Add]:  # noqa: ARG002 - each feature says it
        """Write the layer's collection."""
        with self.path.open("wb") as file, _collection(file, layer) as add:
            yield add

    def close(self) -> None:
        """The collection is complete when its layer is."""


class GeoJsonArchive:
    """A ZIP archive with a collection a layer: `parcels.geojson`, `sales.geojson`."""

    content_type = "application/zip"

    def __init__(self, folder: Path, stem: str, as_of: datetime) -> None:
        self.path = folder / f"{stem}.zip"
        self._made_at = as_of.timetuple()[:6]
        self._archive = ZipFile(self.path, "w", ZIP_DEFLATED)

    @contextmanager
    def layer(self, layer: Layer, geometry_type: str) -> Iterator[Add]:  # noqa: ARG002 - each feature says it
        """Write the layer's collection into the archive as it comes."""
        entry = ZipInfo(f"{layer.name}.geojson", self._made_at)
        entry.compress_type = ZIP_DEFLATED
        with self._archive.open(entry, "w", force_zip64=True) as file, _collection(file, layer) as add:
            yield add

    def close(self) -> None:
        """Write the archive's directory."""
        self._archive.close()


@contextmanager
def _collection(file: IO[bytes], layer: Layer) -> Iterator[Add]:
    separator = b"\n"

    def add(features: Features) -> None:
        nonlocal separator
        for feature in _features(features):
            file.write(separator)
            file.write(feature)
            separator = b",\n"

    file.write(b'{"type":"FeatureCollection","name":%b,"features":[' % orjson.dumps(layer.name))
    yield add
    file.write(b"\n]}\n")


def _features(features: Features) -> Iterator[bytes]:
    """Each feature as JSON; its id is the layer's first column, which is the key."""
    names = [column.column.name for column in features.columns]
    rows = zip(*(_plain(column) for column in features.columns), strict=True)
    for geometry, row in zip(_geometries(features.shapes), rows, strict=True):
        feature = {
            "type": "Feature",
            "id": row[0],
            "geometry": orjson.Fragment(geometry),
            "properties": dict(zip(names, row, strict=True)),
        }
        yield orjson.dumps(feature, option=_OPTIONS)


def _geometries(shapes: Shapes) -> list[str]:
    oriented = shapely.orient_polygons(shapes, exterior_cw=False)
    rounded = shapely.transform(oriented, lambda coordinates: np.round(coordinates, DECIMALS))
    geometries: list[str] = shapely.to_geojson(rounded).tolist()
    return geometries


def _plain(column: ColumnValues) -> list[Any]:
    """Values that JSON can say; NaN is written as null."""
    values: list[Any] = column.values.tolist()
    if column.missing is not None and column.missing.any():
        return [None if missing else value for value, missing in zip(values, column.missing.tolist(), strict=True)]
    return values
