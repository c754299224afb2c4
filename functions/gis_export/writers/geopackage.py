"""GeoPackage (OGC 12-128): one file, several layers, a spatial index each."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio import raw

from functions.gis_export.domain.copy_text import values_of
from functions.gis_export.domain.features import Add, ColumnValues, Features
from functions.gis_export.domain.layers import Layer

UTC_OFFSET = 100
"""GDAL's mark of a time in UTC."""


class GeoPackageFile:
    """A GeoPackage that is written in blocks.

    `code` is the EPSG code of the coordinates; `as_of` is the time that the file says it was made at.
    """

    content_type = "application/geopackage+sqlite3"

    def __init__(self, folder: Path, stem: str, code: int, as_of: datetime) -> None:
        self.path = folder / f"{stem}.gpkg"
        self._crs = f"EPSG:{code}"
        pyogrio.set_gdal_config_options(
            {
                "OGR_CURRENT_DATE": as_of.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                # a file that a crash cuts short is thrown away with its folder
                "OGR_SQLITE_SYNCHRONOUS": "OFF",
            }
        )

    @contextmanager
    def layer(self, layer: Layer, geometry_type: str) -> Iterator[Add]:
        """Begin a layer; it is there even when nothing is added."""
        self.write(layer, geometry_type, _nothing(layer), new=True)
        yield lambda features: self.write(layer, geometry_type, features, new=False)

    def close(self) -> None:
        """Each block has been committed already."""

    def write(self, layer: Layer, geometry_type: str, features: Features, *, new: bool) -> None:
        """Write features into a layer, which is made when it is `new`."""
        options: dict[str, Any] = {"layer_options": {"DESCRIPTION": layer.title}} if new else {}
        raw.write(
            self.path,
            shapely.to_wkb(features.shapes),
            [column.values for column in features.columns],
            [column.column.name for column in features.columns],
            field_mask=[column.missing for column in features.columns],
            layer=layer.name,
            driver="GPKG",
            geometry_type=geometry_type,
            promote_to_multi=geometry_type == "MultiPolygon",
            crs=self._crs,
            append=not new,
            gdal_tz_offsets=_time_zones(features),
            **options,
        )


def _nothing(layer: Layer) -> Features:
    return Features(
        np.empty(0, dtype=object), [ColumnValues(column, *values_of(column.kind, ())) for column in layer.columns]
    )


def _time_zones(features: Features) -> dict[str, NDArray[np.int32]]:
    zones = np.full(features.shapes.size, UTC_OFFSET, dtype=np.int32)
    return {column.column.name: zones for column in features.columns if column.column.kind == "datetime"}
