"""Set-up of GDAL: a few drivers, no network, and a log of its messages.

To be imported before pyogrio, and in a process of its own, since its settings hold for the process.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Collection
from pathlib import Path

DRIVERS = {
    "shapefile": "ESRI Shapefile",
    "geopackage": "GPKG",
    "file_geodatabase": "OpenFileGDB",
    "kml": "LIBKML",
    "geojson": "GeoJSON",
    "flatgeobuf": "FlatGeobuf",
}
_DISABLED_DRIVERS = (
    "ADBC", "AIVector", "AVCBin", "AVCE00", "AmigoCloud", "CSV", "CSW", "Carto", "DGN", "DXF", "EDIGEO", "EEDA",
    "ESRIJSON", "Elasticsearch", "GDALG", "GML", "GPSBabel", "GPX", "GTFS", "GeoJSONSeq", "GeoRSS", "HTTP", "Idrisi",
    "JML", "JSONFG", "KML", "LVBAG", "MBTiles", "MVT", "MapInfo File", "MapML", "MiraMonVector", "NGW", "OAPIF", "ODS",
    "OGCAPI", "OGR_GMT", "OGR_PDS", "OGR_VRT", "OSM", "PCIDSK", "PDF", "PDS4", "PGDUMP", "PLSCENES", "PMTiles", "S57",
    "SQLite", "SXF", "Selafin", "TopoJSON", "VDV", "VFK", "VICAR", "WAsP", "WFS", "XLSX",
)  # fmt: skip
"""The other drivers of this build of GDAL, disabled: some open paths or URLs that a file names."""


class GdalLog:
    """GDAL's log since the last call: GDAL continues after errors, with a geometry or a value left out.

    GDAL's own handler writes it, from any thread; pyogrio's handler ignores such errors.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def errors(self) -> list[str]:
        """The errors since the last call, and the warnings of data loss."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        self._read += len(content)
        lines = content.decode("utf-8", "replace").replace(f"{self._path.parent}/", "").splitlines()
        lost = [line for line in lines if line.startswith("ERROR ") or any(word in line for word in _LOSS_WORDS)]
        return [_PREFIX.sub("", line) for line in lost]


_PREFIX = re.compile(r"^(ERROR|Warning) \d+: ")
_LOSS_WORDS = (
    "clamped",
    "couldn't be converted",
    "corrupt",
    "Corrupt",
    "truncat",
    "Unexpected end",
    "cannot be parsed",
)


def prepare(log: Path, also: Collection[str] = ()) -> GdalLog:
    """Import GDAL with the supported drivers and those of `also`, and make it write its log to a file."""
    os.environ["GDAL_SKIP"] = ",".join(driver for driver in _DISABLED_DRIVERS if driver not in also)
    os.environ["CPL_LOG"] = str(log)
    os.environ["CPL_MAX_ERROR_REPORTS"] = "1000"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["OGR_GEOJSON_MAX_OBJ_SIZE"] = "64"
    os.environ["PROJ_NETWORK"] = "OFF"
    from pyogrio import _io

    library = ctypes.CDLL(_io.__file__)
    handler = ctypes.cast(library.CPLLoggingErrorHandler, ctypes.c_void_p)
    for install in (library.CPLSetErrorHandler, library.CPLPushErrorHandler):
        install.argtypes = [ctypes.c_void_p]
        install.restype = ctypes.c_void_p
        install(handler)
    return GdalLog(log)
