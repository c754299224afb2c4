"""What GDAL says of a file: `ogrinfo -json`, as a function of the library that pyogrio brings."""

import ctypes
import json
from ctypes import c_char_p, c_void_p
from pathlib import Path
from typing import Any

from pyogrio import _io


def gdal_info(path: Path) -> dict[str, Any]:
    """Layers, fields and domains of a file."""
    gdal = ctypes.CDLL(_io.__file__)
    gdal.GDALOpenEx.restype, gdal.GDALOpenEx.argtypes = (
        c_void_p,
        (c_char_p, ctypes.c_uint, c_void_p, c_void_p, c_void_p),
    )
    gdal.GDALVectorInfoOptionsNew.restype = gdal.GDALVectorInfo.restype = c_void_p
    gdal.GDALVectorInfoOptionsNew.argtypes, gdal.GDALVectorInfo.argtypes = (c_void_p, c_void_p), (c_void_p, c_void_p)
    gdal.GDALClose.argtypes = (c_void_p,)
    vector = 4
    dataset = gdal.GDALOpenEx(str(path).encode(), vector, None, None, None)
    arguments = (c_char_p * 3)(b"-json", b"-al", None)
    text = ctypes.string_at(gdal.GDALVectorInfo(dataset, gdal.GDALVectorInfoOptionsNew(arguments, None)))
    gdal.GDALClose(dataset)
    parsed: dict[str, Any] = json.loads(text)
    return parsed
