"""Layers as GDAL writes them, in the files that counties send."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from pyogrio import raw

FORMATS = {
    "shapefile": ("ESRI Shapefile", "shp"),
    "geopackage": ("GPKG", "gpkg"),
    "file_geodatabase": ("OpenFileGDB", "gdb"),
    "kml": ("LIBKML", "kml"),
    "geojson": ("GeoJSON", "geojson"),
    "flatgeobuf": ("FlatGeobuf", "fgb"),
}
# around Olympia: a square, one with a hole, two squares apart, and a horseshoe whose centroid lies outside
SQUARES = [
    shapely.Polygon([(-122.9, 47.03), (-122.9, 47.04), (-122.88, 47.04), (-122.88, 47.03)]),
    shapely.Polygon(
        [(-122.8, 47.0), (-122.8, 47.09), (-122.7, 47.09), (-122.7, 47.0)],
        [[(-122.77, 47.03), (-122.73, 47.03), (-122.73, 47.06), (-122.77, 47.06)]],
    ),
    shapely.MultiPolygon([shapely.box(-122.6, 47.0, -122.59, 47.01), shapely.box(-122.5, 47.0, -122.45, 47.05)]),
    shapely.Polygon([(-122.4, 47), (-122.4, 47.1), (-122.3, 47.1), (-122.3, 47), (-122.31, 47), (-122.31, 47.09),
                     (-122.39, 47.09), (-122.39, 47)]),
]  # fmt: skip


def moved(shapes: Sequence[Any], code: int) -> list[Any]:
    """Shapes of degrees in another system."""
    transform = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform
    return [shape and shapely.transform(shape, transform, interleaved=False) for shape in shapes]


def write_layer(
    folder: Path,
    format_: str,
    shapes: Sequence[Any],
    *,
    code: int | None = 4326,
    name: str = "parcels",
    geometry_type: str = "",
    fields: dict[str, Any] | None = None,
    **options: Any,
) -> Path:
    """A layer of these shapes, which are in the system `code`; `fields` are its columns beside PIN."""
    driver, ending = FORMATS[format_]
    columns = {"PIN": np.array([f"P{number}" for number in range(len(shapes))], dtype=object), **(fields or {})}
    path = folder / f"{name}.{ending}"
    usual = {"shapefile": "Polygon", "file_geodatabase": "MultiPolygon"}.get(format_, "Unknown")
    wkb = np.array([None if shape is None else shape.wkb for shape in shapes], dtype=object)
    raw.write(path, wkb, [np.asarray(values) for values in columns.values()], list(columns), driver=driver, layer=name,
              geometry_type=geometry_type or usual, crs=code and f"EPSG:{code}",
              promote_to_multi=format_ == "file_geodatabase", **options)  # fmt: skip
    return path


def zipped(*paths: Path, folder: str = "export/") -> bytes:
    """Files, and what is in folders, as an archive; of a Shapefile all its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            beside = sorted(path.iterdir()) if path.is_dir() else sorted(path.parent.glob(f"{path.stem}.*"))
            for file in beside:
                archive.write(file, f"{folder}{path.name + '/' if path.is_dir() else ''}{file.name}")
    return buffer.getvalue()


def sent(path: Path, format_: str) -> bytes:
    """The file as a county sends it."""
    return zipped(path) if format_ in {"shapefile", "file_geodatabase"} else path.read_bytes()
