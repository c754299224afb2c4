"""Workbooks, Parquet, Shapefiles and GeoPackages."""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
import shapely
from pyogrio import raw

from functions.sync.sources.files import xlsx
from shared.geometry import LATITUDE, LONGITUDE, WKB
from shared.mapping import READ_FAULT, VALUE_FAULTS
from shared.problems import Unprocessable
from tests.unit.sync.sources.bucket import frames, source_of, table, whole

UNCALCULATED = "is a formula without a saved value: open the workbook in Excel and save it"
NAMES = ["id", "owner", "value", "sold", "kept"]


def workbook(*rows: list[Any], header: list[Any] | None = None, title: str = "Parcels") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in (header or NAMES, *rows):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbooks_values_come_as_the_texts_that_mappings_read() -> None:
    content = workbook(
        ["007", "Peña", 1200.5, datetime(2016, 2, 29), True],  # noqa: DTZ001 - Excel knows no zones
        [8, None, 1200.0, date(1999, 1, 2), False],
        [],
        [9, " ", "=1+1", None, None],
    )
    assert whole(source_of(content, format="xlsx"), 2).drop(READ_FAULT).rows() == [
        ("007", "Peña", "1200.5", "2016-02-29 00:00:00", "true", None),
        ("8", None, "1200", "1999-01-02 00:00:00", "false", None),
        ("9", None, None, None, None, f"value\tcell C5 {UNCALCULATED}"),
    ]


def test_a_sheet_is_found_by_its_name_and_its_header_by_its_line() -> None:
    content = workbook(["id", "a"], [1, 2], header=["Extract of 2026-11-01"], title="Q3")
    source = source_of(content, format="xlsx", sheet="Q3", header_line=2)
    assert whole(source).drop(READ_FAULT, VALUE_FAULTS).to_dicts() == [{"id": "1", "a": "2"}]
    with pytest.raises(Unprocessable, match="has no sheet Q4; it has: Q3"):
        whole(source_of(content, format="xlsx", sheet="Q4"))


def test_a_value_beyond_the_named_columns_rejects_its_row() -> None:
    found = whole(source_of(workbook([1, 2, "stray"], [3, 4], header=["id", "a"]), format="xlsx"))
    assert found.get_column(READ_FAULT).to_list() == ["the row has a value beyond the last named column: stray", None]


@pytest.mark.parametrize(("limit", "bytes_"), [("LARGEST", 1_000), ("LARGEST_TEXTS", 100)])
def test_a_workbook_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, bytes_: int
) -> None:
    buffer = io.BytesIO(workbook([1, 2, 3, 4, 5]))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", "x" * 200)
    monkeypatch.setattr(xlsx, limit, bytes_)
    with pytest.raises(Unprocessable, match="Send it as CSV"):
        whole(source_of(buffer.getvalue(), format="xlsx"))


@pytest.mark.parametrize("format_", ["xlsx", "parquet", "shapefile", "geopackage"])
@pytest.mark.parametrize("content", [b"", b"id,a\n1,2\n", b"PK\x03\x04" + b"x" * 90])
def test_a_file_that_is_not_of_its_format_is_refused(format_: str, content: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"parcels\.dat is no .* that can be read"):
        whole(source_of(content, format=format_))


def test_parquet_keeps_every_digit_and_nested_values_as_json() -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "value": [Decimal("1200.50"), None, Decimal("-0.01")],
            "sold": [date(2016, 2, 29), None, date(1999, 1, 2)],
            "seen": [datetime(2024, 5, 1, 10, tzinfo=UTC), None, datetime(2024, 5, 1, 10, 0, 0, 5, tzinfo=UTC)],
            "tags": [["a", 'b"'], None, []],
            "raw": [b"\x01", None, b""],
            "note": ["", None, "x"],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    source = source_of(buffer.getvalue(), format="parquet")
    assert [part.height for part in frames(source, 2)] == [2, 1]
    assert whole(source).rows() == [
        ("1", "1200.50", "2016-02-29", "2024-05-01 10:00:00.000000+00:00", '["a","b\\""]', "01", ""),
        ("2", None, None, None, None, None, None),
        ("3", "-0.01", "1999-01-02", "2024-05-01 10:00:00.000005+00:00", "[]", "", "x"),
    ]


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
SYSTEMS = {
    4326: "WGS 84", 4269: "NAD83", 3857: "web mercator", 2927: "Washington South, feet, HARN", 32149: "metres",
    26910: "UTM 10N", 32610: "UTM 10N, WGS 84", 2286: "Washington South, feet",
}  # fmt: skip
ELSEWHERE = {3435: (-87.7, 41.9), 2278: (-95.4, 29.8), 2240: (-83.8, 32.8), 2236: (-81.2, 28.3), 2225: (-122, 40.5)}


def layer(folder: Path, driver: str, code: int, shapes: list[Any], name: str = "parcels") -> Path:
    """A layer as GDAL writes it, in another reference system by GDAL's own transformation."""
    degrees = folder / "degrees.gpkg"
    fields = [np.array([f"P{number}" for number in range(len(shapes))], dtype=object)]
    options: dict[str, Any] = {"geometry_type": "Unknown", "crs": "EPSG:4326", "driver": "GPKG"}
    raw.write(degrees, shapely.to_wkb(np.array(shapes, dtype=object)), fields, ["PIN"], layer=name, **options)
    _, _, moved, _ = raw.read(degrees, sql=f'SELECT ST_Transform(geom, {code}) AS geom FROM "{name}"')
    path = folder / f"{name}.{'shp' if driver == 'ESRI Shapefile' else 'gpkg'}"
    polygon = "Polygon" if driver == "ESRI Shapefile" else "Unknown"
    raw.write(path, moved, fields, ["PIN"], layer=name, driver=driver, geometry_type=polygon, crs=f"EPSG:{code}")
    degrees.unlink()
    return path


def zipped(path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in path.parent.glob(f"{path.stem}.*"):
            archive.write(file, f"export/{file.name}")
    return buffer.getvalue()


def placed(found: pl.DataFrame) -> list[Any]:
    return [shapely.from_wkb(bytes.fromhex(text)) for text in found.get_column(WKB)]


@pytest.mark.parametrize("code", SYSTEMS, ids=list(SYSTEMS.values()))
@pytest.mark.parametrize("format_", ["shapefile", "geopackage"])
def test_a_layer_comes_back_in_degrees_with_a_point_in_each_parcel(tmp_path: Path, code: int, format_: str) -> None:
    driver = "ESRI Shapefile" if format_ == "shapefile" else "GPKG"
    path = layer(tmp_path, driver, code, SQUARES)
    content = zipped(path) if format_ == "shapefile" else path.read_bytes()

    found = whole(source_of(content, format=format_), 3)

    assert found.get_column("PIN").to_list() == ["P0", "P1", "P2", "P3"]
    for shape, read, x, y in zip(
        SQUARES, placed(found), found.get_column(LONGITUDE), found.get_column(LATITUDE), strict=True
    ):
        assert shapely.hausdorff_distance(shape, read) < 3e-5  # HARN and NAD83 are metres from WGS 84
        assert shapely.area(read) == pytest.approx(shapely.area(shape), rel=1e-6)
        assert shapely.contains(read, shapely.Point(float(x), float(y)))


@pytest.mark.parametrize("code", ELSEWHERE)
def test_other_zones_agree_with_proj_to_a_millimetre(tmp_path: Path, code: int) -> None:
    x, y = ELSEWHERE[code]
    shapes = [shapely.box(x + i / 10, y + i / 10, x + i / 10 + 0.01, y + i / 10 + 0.01) for i in range(-3, 4)]
    found = whole(source_of(zipped(layer(tmp_path, "ESRI Shapefile", code, shapes)), format="shapefile"), 99)
    for shape, read in zip(shapes, placed(found), strict=True):
        assert shapely.hausdorff_distance(shape, read) < 1e-8


def test_points_are_read_too(tmp_path: Path) -> None:
    path = layer(tmp_path, "GPKG", 4326, [shapely.Point(-122.5, 47.5), None])
    found = whole(source_of(path.read_bytes(), format="geopackage"))
    assert found.select(LONGITUDE, LATITUDE).rows() == [("-122.5", "47.5"), (None, None)]


@pytest.mark.parametrize(("code", "said"), [(4267, "neither WGS 84 nor NAD83"), (3338, "albers")])
def test_a_reference_system_that_is_not_read_is_refused_by_name(tmp_path: Path, code: int, said: str) -> None:
    path = layer(tmp_path, "ESRI Shapefile", code, [shapely.box(-150, 61, -149.9, 61.1)])
    with pytest.raises(Unprocessable, match=said) as refused:
        whole(source_of(zipped(path), format="shapefile"))
    assert "Export it in WGS 84" in refused.value.detail


def test_a_layer_has_to_be_named_where_there_are_several(tmp_path: Path) -> None:
    layer(tmp_path, "ESRI Shapefile", 4326, SQUARES[:1], "roads")
    path = layer(tmp_path, "ESRI Shapefile", 4326, SQUARES)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in path.parent.iterdir():
            archive.write(file, file.name)
    with pytest.raises(Unprocessable, match="roads"):
        whole(source_of(buffer.getvalue(), format="shapefile"))
    assert whole(source_of(buffer.getvalue(), format="shapefile", layer="parcels")).height == 4


def test_an_archive_without_its_projection_is_incomplete(tmp_path: Path) -> None:
    path = layer(tmp_path, "ESRI Shapefile", 4326, SQUARES)
    path.with_suffix(".prj").unlink()
    with pytest.raises(Unprocessable, match=r"lacks parcels\.prj"):
        whole(source_of(zipped(path), format="shapefile"))


def test_an_empty_layer_is_a_table_without_rows(tmp_path: Path) -> None:
    path = layer(tmp_path, "GPKG", 4326, [shapely.Point(0, 0)])
    raw.write(path, np.array([], dtype=object), [np.array([], dtype=object)], ["PIN"], layer="none", driver="GPKG",
              geometry_type="Point", crs="EPSG:4326", append=True)  # fmt: skip
    source = source_of(path.read_bytes(), format="geopackage", layer="none")
    assert source.cut(table(), 10) == (0, [])
    assert {WKB, LONGITUDE, LATITUDE} < set(whole(source).columns)
