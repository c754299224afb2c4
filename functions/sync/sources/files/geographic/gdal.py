"""GDAL as this process has it: a few drivers, no network, and a log of all that it says.

To be imported before anything else imports pyogrio, and in a process of its own: what it sets holds for the process.
"""

from __future__ import annotations

import ctypes
import os
import re
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
"""Drivers that this GDAL has beside those: some open what a file names on this machine or in the network."""


class GdalLog:
    """What GDAL said since it was last asked: it goes on after errors, with a shape or a value left out.

    GDAL's own handler writes it, in whichever thread; pyogrio's passes errors over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def errors(self) -> list[str]:
        """The errors since the last call, and the warnings that say that something was lost."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            said = file.read()
        self._read += len(said)
        lines = said.decode("utf-8", "replace").replace(f"{self._path.parent}/", "").splitlines()
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


def prepare(log: Path) -> GdalLog:
    """Import GDAL with the drivers that are wanted, and have it write its log there."""
    os.environ["GDAL_SKIP"] = ",".join(_DISABLED_DRIVERS)
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
