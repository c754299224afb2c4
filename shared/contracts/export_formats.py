"""Formats and reference systems of GIS exports, as requests and counties' configurations name them."""

from typing import Literal

ExportFormat = Literal[
    "geopackage", "geojson", "shapefile", "kml", "flatgeobuf", "geoparquet", "csv", "file_geodatabase"
]
EXPORT_CRS = r"^(EPSG:[1-9][0-9]{3,5}|OGC:CRS84)$"
