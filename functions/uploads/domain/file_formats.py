"""The format of a file, by its content; a name that says something else is refused.

Signatures: PKWARE APPNOTE 4.3.7 (zip), RFC 1952 (gzip), MS-CFB 2.2 (Office until 2003, and encrypted workbooks),
Apache Parquet "File format", SQLite "Database file format" 1.3, FlatGeobuf specification.
"""

from collections.abc import Sequence
from pathlib import PurePath

from shared.counties.source_description import FileFormat
from shared.problems import Unprocessable

_ZIP, _GZIP, _OLE = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
_SIGNATURES: tuple[tuple[bytes, FileFormat], ...] = (
    (b"PAR1", "parquet"),
    (b"SQLite format 3\x00", "geopackage"),
    (b"fgb\x03", "flatgeobuf"),
)
_EXTENSIONS: dict[FileFormat, tuple[str, ...]] = {
    "csv": (".csv", ".txt", ".tsv", ".tab", ".psv", ".asc", ".dat"),
    "fixed_width": (".txt", ".asc", ".dat"),
    "xlsx": (".xlsx",),
    "parquet": (".parquet", ".geoparquet"),
    "shapefile": (".zip", ".shp.zip", ".shz"),
    "geopackage": (".gpkg",),
    "file_geodatabase": (".zip", ".gdb.zip"),
    "kml": (".kml", ".kmz"),
    "geojson": (".geojson", ".json"),
    "flatgeobuf": (".fgb",),
}
_KNOWN_EXTENSIONS = {suffix for suffixes in _EXTENSIONS.values() for suffix in suffixes} | {".xls", ".xlsm", ".xlsb"}
_COMPRESSED = (".gz", ".zip")
_MACROS = "vbaproject.bin"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def detect_format(filename: str, beginning: bytes, members: Sequence[str]) -> FileFormat:
    """The format of a file with this beginning; `members` are the names in it where it is a zip archive.

    Raises Unprocessable for a format that is not read, and for a name of another format.
    """
    found = _by_content(filename, beginning, [name.replace("\\", "/").lower() for name in members])
    suffixes = [suffix.lower() for suffix in PurePath(filename).suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSED and found in ("csv", "fixed_width"):
        suffixes.pop()
    named = suffixes[-1] if suffixes else ""
    if named in _KNOWN_EXTENSIONS and named not in _EXTENSIONS[found]:
        raise _refused(
            f"{filename} is called {named}, and its content is {_CALLED[found]}. Give it the name of what it is.",
            "file-extension-differs",
        )
    return found


def is_compressed_text(beginning: bytes, members: Sequence[str]) -> bool:
    """True for a gzip file, and for an archive of one file that is no part of a format of its own."""
    return beginning.startswith(_GZIP) or (beginning.startswith(_ZIP) and _archive_format(members) is None)


def _by_content(filename: str, beginning: bytes, members: Sequence[str]) -> FileFormat:
    if not beginning:
        raise _refused(f"{filename} is empty.", "file-empty")
    if beginning.startswith(_OLE):
        raise _refused(
            f"{filename} is a workbook of Excel 97 to 2003 (.xls), or a password protects it. Open it and save it as"
            " .xlsx without a password, or send it as CSV.",
            "file-unreadable",
        )
    for signature, found in _SIGNATURES:
        if beginning.startswith(signature):
            return found
    if beginning.startswith(_ZIP):
        return _of_archive(filename, members)
    if beginning.startswith(_GZIP):
        return "csv"
    return _of_text(filename, beginning)


def _of_text(filename: str, beginning: bytes) -> FileFormat:
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        return "geojson"
    if text.startswith(b"<"):
        if b"<kml" in beginning.lower():
            return "kml"
        raise _refused(f"{filename} is a page of HTML or XML: send the table as CSV.", "file-unreadable")
    if b"\x00" in beginning and not beginning.startswith(_UTF16):
        raise _refused(f"{filename} is a binary file of a format that is not read.", "file-unreadable")
    return "csv"


def _of_archive(filename: str, members: Sequence[str]) -> FileFormat:
    if any(name.endswith(_MACROS) for name in members):
        raise _refused(
            f"{filename} is a workbook with macros. Save it as .xlsx, which leaves them out: values are all that is"
            " read.",
            "file-with-macros",
        )
    return _archive_format(members) or "csv"


def _archive_format(members: Sequence[str]) -> FileFormat | None:
    names = [name.replace("\\", "/").lower() for name in members]
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if any(name.endswith(".shp") for name in names):
        return "shapefile"
    if any(".gdb/" in name for name in names):
        return "file_geodatabase"
    return "kml" if any(name.endswith(".kml") for name in names) else None


_CALLED: dict[FileFormat, str] = {
    "csv": "delimited text",
    "fixed_width": "text of fixed width",
    "xlsx": "a workbook (.xlsx)",
    "parquet": "Parquet",
    "shapefile": "a zipped Shapefile",
    "geopackage": "a GeoPackage (.gpkg)",
    "file_geodatabase": "a zipped File Geodatabase",
    "kml": "KML",
    "geojson": "JSON",
    "flatgeobuf": "FlatGeobuf (.fgb)",
}


def _refused(detail: str, slug: str) -> Unprocessable:
    return Unprocessable(detail, slug=slug)
