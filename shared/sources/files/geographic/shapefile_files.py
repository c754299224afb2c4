"""The files of a Shapefile, checked for truncation, which GDAL does not notice, and for their declared encoding.

ESRI Shapefile Technical Description (1998); dBASE's header as in "Xbase File Format Description", sections 1 and 3.
"""

from __future__ import annotations

import codecs
import re
import struct
from pathlib import Path

from shared.counties.source_description import ShapeFile
from shared.sources.files.geographic.problems import refusal, unreadable_file

SHAPEFILE_PARTS = {".shp": True, ".shx": True, ".dbf": True, ".prj": False, ".cpg": False}
"""File extensions, and True for required ones; the index (.shx) relates geometries to records."""

_SHP_HEADER, _SHX_ENTRY = 100, 8
_LANGUAGE_DRIVER_CODECS = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x58: "cp1252", 0x59: "cp1252", 0x08: "cp865",
    0x09: "cp437", 0x0A: "cp850", 0x0B: "cp437", 0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437", 0x10: "cp850",
    0x11: "cp437", 0x12: "cp850", 0x13: "cp932", 0x14: "cp850", 0x15: "cp437", 0x16: "cp850", 0x17: "cp865",
    0x18: "cp437", 0x19: "cp437", 0x1A: "cp850", 0x1B: "cp437", 0x1C: "cp863", 0x1D: "cp850", 0x1F: "cp852",
    0x22: "cp852", 0x23: "cp852", 0x24: "cp860", 0x25: "cp850", 0x26: "cp866", 0x37: "cp850", 0x40: "cp852",
    0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950", 0x50: "cp874", 0x64: "cp852", 0x65: "cp866", 0x66: "cp865",
    0x67: "cp861", 0x6A: "cp737", 0x6B: "cp857", 0x6C: "cp863", 0x78: "cp950", 0x79: "cp949", 0x7A: "cp936",
    0x7B: "cp932", 0x7C: "cp874", 0x86: "cp737", 0x87: "cp852", 0x88: "cp857", 0xC8: "cp1250", 0xC9: "cp1251",
    0xCA: "cp1254", 0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Encodings of dBASE's language drivers; 0x57 is "the code page of the machine", in the Americas a Windows one."""


def count_rows(shp: Path, name: str, description: ShapeFile) -> int:
    """The number of records that are not marked as deleted.

    Raises Unprocessable for a Shapefile of which a part is cut off, or whose files do not belong together: GDAL reads
    as far as it can, and rows that are not read would be taken for removed."""
    try:
        with shp.open("rb") as file:
            header = file.read(_SHP_HEADER)
        with shp.with_suffix(".shx").open("rb") as file:
            index = file.read(_SHP_HEADER)
        with shp.with_suffix(".dbf").open("rb") as file:
            table = file.read(32)
        _, records, width, length = struct.unpack("<IIHH", table[:12])
        shapes_end, index_end = (2 * struct.unpack(">i", part[24:28])[0] for part in (header, index))
    except struct.error:
        raise unreadable_file(description, f"{name}.shp, .shx or .dbf ends in its header") from None
    sizes = {ending: shp.with_suffix(ending).stat().st_size for ending in (".shp", ".shx", ".dbf")}
    for ending, end in ((".shp", shapes_end), (".shx", index_end)):
        if sizes[ending] < end:
            raise _cut_off(description, f"{name}{ending}", f"{end:,} bytes", f"{sizes[ending]:,}")
    if not length or not width:
        raise unreadable_file(description, f"{name}.dbf has records of no length")
    there = max(0, sizes[".dbf"] - width) // length
    if there < records:
        raise _cut_off(description, f"{name}.dbf", f"{records:,} records", f"{there:,}")
    shapes = (index_end - _SHP_HEADER) // _SHX_ENTRY
    if shapes != records:
        raise refusal(
            f"{description.file}: {name}.shx has {shapes:,} shapes and {name}.dbf {records:,} records, so they do not"
            " belong together, or one of them is cut off. Export the layer again, and send it again.",
            "file-truncated",
        )
    return int(records) - _deleted(shp.with_suffix(".dbf"), width, length, records)


def _deleted(dbf: Path, header: int, length: int, records: int) -> int:
    """The number of records with the mark of deletion, which stay until the table is packed."""
    deleted, some = 0, max(1, (1 << 20) // length)
    with dbf.open("rb") as file:
        file.seek(header)
        for start in range(0, records, some):
            deleted += file.read(min(some, records - start) * length)[::length].count(b"*")
    return deleted


def declared_encoding(shp: Path, name: str, description: ShapeFile) -> str | None:
    """The codec of the attributes by the setting, the .cpg, or the language byte; None where none is declared.

    Raises Unprocessable for a .cpg with an unknown encoding.
    """
    if description.encoding is not None:
        return description.encoding
    code_page = shp.with_suffix(".cpg")
    if code_page.exists():
        content = code_page.read_bytes()[:200].decode("ascii", "replace").strip().strip("\x00")
        if content:
            codec = codec_named(content)
            if codec is None:
                raise refusal(
                    f"{description.file}: {name}.cpg says {content[:40]!r}, which is no encoding that is known here."
                    " Say it with the setting `encoding` (utf-8, cp1252, ...).",
                    "file-encoding",
                )
            return codec
    with shp.with_suffix(".dbf").open("rb") as file:
        return _LANGUAGE_DRIVER_CODECS.get(file.read(32)[29])


def codec_named(content: str) -> str | None:
    """The codec of a .cpg's content: `1252`, `ANSI 1252`, `OEM 437`, `ISO 88591`, `8859_1`, `UTF-8`, `65001`."""
    plain = re.sub(r"^(ansi|oem|cp|windows|ms|ibm|ldid|code ?page)[-_ /]*", "", content.strip().lower())
    iso = re.fullmatch(r"(?:iso)?[-_ ]*8859[-_ ]*(\d{1,2})", plain)
    candidates = [f"iso8859_{iso[1]}"] if iso else [f"cp{plain}" if plain.isdigit() else plain, content]
    if content.strip().lower().startswith("ldid"):
        candidates = [_LANGUAGE_DRIVER_CODECS.get(int(plain), "") if plain.isdigit() else ""]
    for candidate in candidates:
        try:
            if b"A".decode(candidate) == "A":  # a text encoding, not a codec for something else
                return codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
    return None


def _cut_off(description: ShapeFile, part: str, declared: str, present: str) -> Exception:
    return refusal(
        f"{description.file}: {part} is cut off: its header says {declared}, and there are {present}. Send it again.",
        "file-truncated",
    )
