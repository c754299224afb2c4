"""Coded domains of a file, by GDAL's C functions: pyogrio has none for them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from ctypes import c_bool, c_char_p, c_int, c_void_p
from pathlib import Path
from typing import Any

from pyogrio import _io

_TEXT_FIELD, _NO_SUBTYPE, _UNKNOWN_PIXELS = 4, 0, 0
"""OFTString, OFSTNone and GDT_Unknown."""


class _CodedValue(ctypes.Structure):
    """GDAL's OGRCodedValue."""

    _fields_ = (("code", c_char_p), ("value", c_char_p))


def create_with_domains(path: Path, driver: str, domains: Iterable[dict[str, Any]]) -> None:
    """Create a file that has coded domains and no layer yet. Raises OSError."""
    gdal = _library()
    dataset = gdal.GDALCreate(
        gdal.GDALGetDriverByName(driver.encode()), str(path).encode(), 0, 0, 0, _UNKNOWN_PIXELS, None
    )
    if not dataset:
        raise OSError(f"GDAL cannot create a {driver} file")
    try:
        for domain in domains:
            _add_domain(gdal, dataset, domain)
    finally:
        gdal.GDALClose(dataset)


def _add_domain(gdal: Any, dataset: Any, domain: dict[str, Any]) -> None:
    values = (_CodedValue * (len(domain["codes"]) + 1))()  # an empty value ends them
    for number, (code, meaning) in enumerate(domain["codes"]):
        values[number] = _CodedValue(code.encode(), meaning.encode())
    name, title = domain["name"].encode(), domain["title"].encode()
    handle = gdal.OGR_CodedFldDomain_Create(name, title, _TEXT_FIELD, _NO_SUBTYPE, values)
    reason = c_char_p()
    added = gdal.GDALDatasetAddFieldDomain(dataset, handle, ctypes.byref(reason))
    gdal.OGR_FldDomain_Destroy(handle)
    if not added:
        raise OSError(f"GDAL cannot add the domain {domain['name']}: {(reason.value or b'').decode()}")


def _library() -> Any:
    """GDAL, which pyogrio has loaded, with the types of the functions that are called."""
    library = ctypes.CDLL(_io.__file__)
    for name, result, arguments in (
        ("GDALGetDriverByName", c_void_p, (c_char_p,)),
        ("GDALCreate", c_void_p, (c_void_p, c_char_p, c_int, c_int, c_int, c_int, c_void_p)),
        ("GDALClose", c_int, (c_void_p,)),
        ("OGR_CodedFldDomain_Create", c_void_p, (c_char_p, c_char_p, c_int, c_int, c_void_p)),
        ("GDALDatasetAddFieldDomain", c_bool, (c_void_p, c_void_p, c_void_p)),
        ("OGR_FldDomain_Destroy", None, (c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
