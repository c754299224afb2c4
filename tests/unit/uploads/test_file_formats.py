"""The format of a file by its content, and how a delimited text is read."""

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.uploads.domain.delimited_text import DELIMITERS, detect_text
from functions.uploads.domain.file_formats import detect_format, is_compressed_text
from shared.counties.source_description import FileFormat
from shared.problems import Unprocessable

ZIP = b"PK\x03\x04"


@pytest.mark.parametrize(
    ("filename", "beginning", "members", "found"),
    [
        ("a.csv", b"a,b\n", [], "csv"),
        ("A.TXT", b"a\tb\n", [], "csv"),
        ("a.csv.gz", b"\x1f\x8b", [], "csv"),
        ("a.csv.zip", ZIP, ["a.csv"], "csv"),
        ("a.xlsx", ZIP, ["[Content_Types].xml", "xl\\workbook.xml"], "xlsx"),
        ("parcels.zip", ZIP, ["parcels.SHP", "parcels.dbf"], "shapefile"),
        ("roll.gdb.zip", ZIP, ["roll.gdb/a0001.gdbtable"], "file_geodatabase"),
        ("a.kmz", ZIP, ["doc.kml"], "kml"),
        ("a.kml", b'<?xml version="1.0"?><kml xmlns="x">', [], "kml"),
        ("a.geojson", b'{"type": "FeatureCollection"', [], "geojson"),
        ("a.gpkg", b"SQLite format 3\x00", [], "geopackage"),
        ("a.fgb", b"fgb\x03fgb\x00", [], "flatgeobuf"),
        ("a.parquet", b"PAR1", [], "parquet"),
        ("no ending", b"a,b\n", [], "csv"),
        ("export.2026", b"a,b\n", [], "csv"),
    ],
)
def test_the_content_decides(filename: str, beginning: bytes, members: list[str], found: str) -> None:
    assert detect_format(filename, beginning, members) == found


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.xlsx", "a.zip", "a", "a.gpkg"]))
def test_any_content_has_a_format_or_a_reason(content: bytes, filename: str) -> None:
    with suppress(Unprocessable):
        assert detect_format(filename, content, []) in get_args(FileFormat)
    assert is_compressed_text(content, []) in (True, False)


NAMES = st.lists(st.from_regex(r"[A-Za-z][A-Za-z_ ]{0,8}", fullmatch=True), min_size=2, max_size=6, unique=True)


@given(NAMES, st.sampled_from(DELIMITERS), st.sampled_from(["utf-8", "cp1252", "utf-16"]), st.integers(1, 30))
def test_the_delimiter_of_a_written_table_is_found(names: list[str], delimiter: str, encoding: str, rows: int) -> None:
    lines = [delimiter.join(names), *(delimiter.join(f"é {row}" for _ in names) for row in range(rows))]
    detected = detect_text("a.csv", ("\r\n".join(lines) + "\r\n").encode(encoding))
    assert detected.delimiter == delimiter
    assert detected.encoding == {"utf-16": "utf-16-le"}.get(encoding, encoding)


@pytest.mark.parametrize("line", ["000123,1961", "$5,a", "2026-01-31,b", "1/2/2026;b", ",,", "12.5%,a"])
def test_a_first_line_of_data_is_no_header(line: str) -> None:
    with pytest.raises(Unprocessable, match="no header"):
        detect_text("a.csv", f"{line}\n{line}\n".encode())


def test_years_are_names_of_columns() -> None:
    assert detect_text("a.csv", b"Parcel,2025,2026\nP1,1,2\n").delimiter == ","


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(Unprocessable):
        assert detect_text("a.csv", content).delimiter in DELIMITERS
