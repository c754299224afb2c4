"""Every format, opened again and compared with the database."""

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, get_args
from uuid import UUID
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
import shapely
from pyogrio import raw
from sqlalchemy import insert, update

from functions.gis_export.domain.formats import FORMATS
from shared.contracts.export_formats import ExportFormat
from shared.db import unit_of_work
from shared.db.models import County, PropertyOperational, SyncRun
from shared.layers import STATIC_LAYERS
from tests.integration.gis_export.conftest import COUNTY, HOSTILE, LOADED, add, parcel
from tests.integration.gis_export.exporting import exported
from tests.integration.gis_export.gdal_info import gdal_info

WASHINGTON_NORTH = (
    "Reference system: EPSG:2926 (NAD83(HARN) / Washington North (ftUS)), in US survey foot;"
    " east or longitude comes first"
)
SYNC_RUN = {
    "county_id": COUNTY,
    "run_id": UUID(int=5),
    "mode": "full",
    "validate_only": False,
    "trigger": "request",
    "active": False,
    "applied_at": LOADED,
}


def opened(path: Path, layer: str, file_format: str) -> list[dict[str, Any]]:
    """A layer's features as GDAL reads them (GeoParquet as Polars does); `shape` is the geometry."""
    if file_format == "geoparquet":
        with ZipFile(path) as archive:
            frame = pl.read_parquet(io.BytesIO(archive.read(f"{layer}.parquet")))
        shapes = shapely.from_wkb(np.array(frame["geometry"].to_list(), dtype=object))
        rows = frame.drop("geometry").to_dicts()
        return [{**row, "shape": shape} for row, shape in zip(rows, shapes, strict=True)]
    source, options = _dataset(path, layer, file_format)
    name = {"csv": None, "file_geodatabase": f"{layer}_" if layer == "values" else layer}.get(file_format, layer)
    meta, _, wkb, values = raw.read(source, layer=name, **options)
    shapes = shapely.from_wkb(wkb)
    names = [*meta["fields"], "shape"]
    return [dict(zip(names, row, strict=True)) for row in zip(*map(plain, values), shapes, strict=True)]


def _dataset(path: Path, layer: str, file_format: str) -> tuple[str, dict[str, str]]:
    """What GDAL opens for a layer, and with which options."""
    if file_format == "geopackage":
        return str(path), {}
    if file_format == "file_geodatabase":
        return f"/vsizip/{path}/{path.name.removesuffix('.gdb.zip')}.gdb", {}
    options = {"X_POSSIBLE_NAMES": "X", "Y_POSSIBLE_NAMES": "Y"} if file_format == "csv" else {}
    return f"/vsizip/{path}/{layer}{FORMATS[file_format].suffix}", options


def plain(values: Any) -> list[Any]:
    listed = [value.item() if isinstance(value, np.generic) else value for value in values]
    return [None if isinstance(value, float) and np.isnan(value) else value for value in listed]


FORMAT = pytest.mark.parametrize("file_format", get_args(ExportFormat))


def test_the_formats_of_requests_are_those_that_can_be_written() -> None:
    assert tuple(FORMATS) == get_args(ExportFormat)


@FORMAT
def test_a_layer_opens_again_with_its_features_values_and_extent(
    file_format: str, county: None, tmp_path: Path
) -> None:
    path, results = exported({"layers": ["parcels"], "format": file_format}, tmp_path)
    features = opened(path, "parcels", file_format)
    assert results["layers"][0]["features"] == len(features) == 9
    assert results["layers"][0]["without_location"] == 3
    names = list(STATIC_LAYERS["parcels"].columns_by_name)
    rows = {
        str(feature["property_i" if file_format == "shapefile" else "property_id"]): feature for feature in features
    }
    assert sorted(rows) == [f"P{number:04}" for number in range(9)]
    first = rows["P0001"]
    assert (first["shape"].x, first["shape"].y) == pytest.approx((-122.001, 47.201))
    value = first["total_valu" if file_format == "shapefile" else "total_value"]
    assert float(value) == 450001.01
    assert rows["P0004"]["total_valu" if file_format == "shapefile" else "total_value"] in (None, "")
    assert int(first["year_built"]) == 1901
    sold = first["last_sale_" if file_format == "shapefile" else "last_sale_date"]
    assert str(sold)[:10].replace("/", "-") == "2020-01-02"
    if file_format not in ("shapefile", "csv", "kml"):
        assert set(names) <= set(first)


@FORMAT
def test_a_county_without_rows_gives_a_file_with_an_empty_layer(
    file_format: str, empty_county: None, tmp_path: Path
) -> None:
    path, results = exported({"layers": ["parcels", "values"], "format": file_format}, tmp_path)
    assert [layer["features"] for layer in results["layers"]] == [0, 0]
    for layer in ("parcels", "values"):
        if file_format != "kml":
            assert opened(path, layer, file_format) == []


def test_points_without_a_shape_are_a_layer_of_their_own_where_a_layer_has_one_type(
    shaped_county: None, tmp_path: Path
) -> None:
    add(PropertyOperational, [parcel(4)])
    for file_format in ("shapefile", "file_geodatabase"):
        path, results = exported({"layers": ["parcels"], "format": file_format}, tmp_path)
        assert len(opened(path, "parcels", file_format)) == 3
        assert len(opened(path, "parcels_points", file_format)) == 1
        assert results["layers"][0]["features"] == 4
        assert results["layers"][0]["reversed"] == 3


def test_a_shapefile_says_its_encoding_its_reference_system_and_its_columns(county: None, tmp_path: Path) -> None:
    add(PropertyOperational, [parcel(20, legal_description="é" * 200)])
    path, results = exported({"layers": ["parcels"], "format": "shapefile", "crs": "EPSG:2926"}, tmp_path)
    with ZipFile(path) as archive:
        names = set(archive.namelist())
        assert {f"parcels.{ending}" for ending in ("shp", "shx", "dbf", "prj", "cpg")} <= names
        assert archive.read("parcels.cpg") == b"UTF-8"
        assert b"Washington" in archive.read("parcels.prj")
        listed = list(csv.DictReader(io.StringIO(archive.read("column_names.csv").decode())))
    assert {"layer": "parcels", "name_in_file": "last_sal_1", "column": "last_sale_price"}.items() <= next(
        row for row in listed if row["column"] == "last_sale_price"
    ).items()
    assert results["layers"][0]["cut_texts"] == 1
    (cut,) = (row for row in opened(path, "parcels", "shapefile") if row["property_i"] == "P0020")
    assert cut["legal_desc"] == "é" * 127


def test_no_cell_of_a_csv_is_a_formula(county: None, tmp_path: Path) -> None:
    add(PropertyOperational, [parcel(20, situs_address="=1+1", legal_description="-2", neighborhood="@SUM(A1)")])
    path, _ = exported({"layers": ["parcels"], "format": "csv"}, tmp_path)
    with ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("parcels.csv").decode(), newline="")))
    (row,) = (row for row in rows if row["property_id"] == "P0020")
    assert (row["situs_address"], row["legal_description"], row["neighborhood"]) == ("'=1+1", "-2", "'@SUM(A1)")
    assert (float(row["X"]), row["updated_at"]) == (-122.02, "2026-03-01T12:30:15.250Z")
    assert next(row for row in rows if row["property_id"] == "P0008")["situs_address"] == HOSTILE


@pytest.mark.parametrize("file_format", ["geopackage", "file_geodatabase"])
def test_columns_have_titles_and_coded_domains(file_format: str, county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["sales"], "format": file_format}, tmp_path)
    if file_format == "file_geodatabase":
        with ZipFile(path) as archive:
            archive.extractall(tmp_path)
        path = next(tmp_path.glob("*.gdb"))
    described = gdal_info(path)
    assert described["domains"]["sale_validity"]["codedValues"]["not_arms_length"] == "Not at arm's length"
    (sales,) = (layer for layer in described["layers"] if layer["name"] == "sales")
    fields = {field["name"]: field for field in sales["fields"]}
    assert fields["validity"]["domainName"] == "sale_validity"
    assert fields["ratio"]["alias"] == "Assessed total value divided by sale price"


def test_a_geopackage_has_styles_for_qgis_and_the_metadata_sheet(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels", "sales", "values"], "format": "geopackage"}, tmp_path)
    with closing(sqlite3.connect(path)) as file:
        styles = dict(file.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1"))
        ((sheet,),) = file.execute("SELECT metadata FROM gpkg_metadata WHERE mime_type = 'text/plain'")
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list(styles) == ["parcels", "sales", "values"]
    for layer, column in (("sales", "ratio"), ("values", "change_percent")):
        renderer = ElementTree.fromstring(styles[layer]).find("renderer-v2")  # noqa: S314 - our own
        assert renderer is not None
        assert renderer.get("attr") == column
        symbols = {symbol.get("name") for symbol in renderer.iter("symbol")}
        assert {band.get("symbol") for band in renderer.iter("range")} == symbols
    assert "Layer parcels:" in sheet
    assert "parcels: 9 features" in sheet


def test_the_metadata_sheet_says_what_when_and_how(county: None, tmp_path: Path) -> None:
    with unit_of_work(COUNTY) as connection:
        settings = {"plugin_settings": {"gis_export": {"disclaimer": "For assessment only."}}}
        connection.execute(update(County).values(configuration=settings))
        connection.execute(insert(SyncRun).values(SYNC_RUN))
    body = {"layers": ["parcels"], "crs": "EPSG:2926", "filter": "year_built < 1904"}
    sheets = []
    for file_format in ("shapefile", "file_geodatabase"):
        path, _ = exported({**body, "format": file_format}, tmp_path)
        with ZipFile(path) as archive:
            sheets.append(archive.read("metadata.txt").decode())
    for line in (
        "Export: map layers of King County, Washington",
        f"Source run: {SYNC_RUN['run_id']}, applied at 2026-03-01 12:30:15 UTC",
        WASHINGTON_NORTH,
        "Selection: filter year_built < 1904",
        "Disclaimer: For assessment only.",
        "  parcels: 2 features, geometry type Point",
    ):
        assert line in sheets[0].splitlines(), sheets[0]
    assert "    land_area_ (of land_area_sqft): Land area; real, in square feet" in sheets[0].splitlines()
    table = raw.read(f"/vsizip/{path}/{path.name.removesuffix('.gdb.zip')}.gdb", layer="export_metadata")[3]
    assert "For assessment only." in table[1]
