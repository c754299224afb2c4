"""GeoPackages, read back with GDAL and compared with the database."""

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyogrio import raw
from sqlalchemy import select

from shared.db import copying, unit_of_work
from shared.db.models import PropertyOperational, Sale
from shared.layers import STATIC_LAYERS
from tests.integration.gis_export.conftest import (
    BROKEN_WKB,
    COUNTY,
    HOSTILE,
    LOADED,
    NOT_FINITE,
    SQUARE,
    TWO_SQUARES,
    add,
    parcel,
)
from tests.integration.gis_export.exporting import exported


def read(path: Path, layer: str) -> list[dict[str, Any]]:
    """The features of a layer; missing values are None, and `shape` is the geometry."""
    meta, _, shapes, values = raw.read(path, layer=layer)
    columns = [[_plain(value) for value in column] for column in values]
    names = [*meta["fields"], "shape"]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, shapely.from_wkb(shapes), strict=True)]


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def in_database(model: Any, layer: str, key: str) -> dict[str, dict[str, Any]]:
    names = [column.name for column in STATIC_LAYERS[layer].columns if column.name in model.__table__.c]
    with unit_of_work(COUNTY) as connection:
        rows = connection.execute(select(*(getattr(model, name) for name in names))).mappings().all()
    return {row[key]: dict(row) for row in rows}


def counts(results: dict[str, Any]) -> list[dict[str, Any]]:
    """What is counted of each layer, without zeros."""
    return [{name: value for name, value in layer.items() if value} for layer in results["layers"]]


def same(written: Any, stored: Any) -> bool:
    if isinstance(stored, list):
        return bool(written == ", ".join(stored))
    return bool(written == (float(stored) if isinstance(written, float) else stored))


def test_every_attribute_of_every_parcel_is_the_databases(county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    features = read(path, "parcels")
    stored = in_database(PropertyOperational, "parcels", "property_id")
    assert counts(results) == [{"name": "parcels", "features": 9, "without_location": 3}]
    assert [f["property_id"] for f in features] == [f"P{i:04}" for i in range(9)]
    for feature in features:
        row = stored[feature["property_id"]]
        assert {name: value for name, value in row.items() if not same(feature[name], value)} == {}
        number = int(feature["property_id"][1:])
        assert feature["shape"].equals(shapely.Point(-122.0 - number / 1000, 47.2 + number / 1000))


def test_text_that_looks_like_copys_marks_arrives_as_it_was(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    (feature,) = (f for f in read(path, "parcels") if f["property_id"] == "P0008")
    assert feature["situs_address"] == HOSTILE
    assert feature["legal_description"] == "\\N"
    assert feature["neighborhood"] == ""
    assert feature["quality"] is None


def test_columns_have_the_types_a_gis_sorts_and_filters_by(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels", "sales"], "format": "geopackage"}, tmp_path)
    info = pyogrio.read_info(path, layer="parcels")
    types = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert types["last_sale_date"] == "OFTDate"
    assert types["updated_at"] == "OFTDateTime"
    assert types["total_value"] == "OFTReal"
    assert types["year_built"] == "OFTInteger"
    assert types["property_id"] == "OFTString"
    assert info["geometry_type"] == "Point"
    assert info["crs"] == "EPSG:4326"
    assert [name for name, _ in pyogrio.list_layers(path)] == ["parcels", "sales", "layer_styles"]


def test_times_are_utc(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    _, _, _, (times,) = raw.read(path, layer="parcels", columns=["updated_at"], datetime_as_string=True)
    assert {datetime.fromisoformat(time) for time in times} == {LOADED}


def test_sales_lie_at_their_parcels_retired_ones_too(county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["sales"], "format": "geopackage"}, tmp_path)
    features = read(path, "sales")
    stored = in_database(Sale, "sales", "sale_id")
    assert counts(results) == [{"name": "sales", "features": 3, "without_location": 2}]
    assert [(f["sale_id"], f["shape"].x) for f in features] == [
        ("S0001", -122.001),
        ("S0002", -122.001),
        ("S0005", -122.012),
    ]
    for feature in features:
        row = stored[feature["sale_id"]]
        assert {name: value for name, value in row.items() if not same(feature[name], value)} == {}
    assert features[0]["parcel_number"] == "0000000001"


def test_names_of_buyers_and_sellers_stay_out(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["sales"], "format": "geopackage"}, tmp_path)
    assert not {"buyer", "seller"} & set(pyogrio.read_info(path, layer="sales")["fields"])


def test_a_window_takes_the_parcels_that_the_search_would_find(county: None, tmp_path: Path) -> None:
    window = [-122.0035, 47.0, -122.0015, 48.0]
    path, results = exported({"layers": ["parcels", "sales"], "format": "geopackage", "bbox": window}, tmp_path)
    assert [f["property_id"] for f in read(path, "parcels")] == ["P0002", "P0003"]
    assert read(path, "sales") == []
    assert [layer["features"] for layer in results["layers"]] == [2, 0]


def test_a_county_of_polygons_becomes_a_layer_of_multipolygons(shaped_county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels", "sales"], "format": "geopackage"}, tmp_path)
    assert pyogrio.read_info(path, layer="parcels")["geometry_type"] == "MultiPolygon"
    first, second, third = (feature["shape"] for feature in read(path, "parcels"))
    assert first.equals(SQUARE)
    assert second.equals(TWO_SQUARES)
    assert third.equals(SQUARE)
    assert not third.has_z
    assert counts(results)[0] == {"name": "parcels", "features": 3, "reversed": 3}


def test_a_sale_of_a_parcel_without_a_point_lies_inside_its_shape(shaped_county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["sales"], "format": "geopackage"}, tmp_path)
    by_sale = {f["sale_id"]: f["shape"] for f in read(path, "sales")}
    assert by_sale["S0001"].equals(shapely.Point(-122.001, 47.201))
    assert TWO_SQUARES.contains(by_sale["S0002"])


def test_a_shape_without_a_point_is_in_the_window_that_it_touches(shaped_county: None, tmp_path: Path) -> None:
    window = [-121.9895, 47.0105, -121.0, 48.0]
    path, results = exported({"layers": ["parcels"], "format": "geopackage", "bbox": window}, tmp_path)
    assert [f["property_id"] for f in read(path, "parcels")] == ["P0002"]
    assert results["layers"][0]["without_location"] == 0


def test_points_and_shapes_together_make_a_layer_of_any_type(shaped_county: None, tmp_path: Path) -> None:
    add(PropertyOperational, [parcel(4), parcel(5, geometry=BROKEN_WKB), parcel(6, geometry=NOT_FINITE)])
    path, results = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    assert [f["shape"].geom_type for f in read(path, "parcels")] == [
        "Polygon",
        "MultiPolygon",
        "Polygon",
        *["Point"] * 3,
    ]
    assert counts(results)[0] == {"name": "parcels", "features": 6, "reversed": 3, "unreadable": 2}


def test_a_shape_that_cannot_be_read_is_counted_where_only_shapes_go(shaped_county: None, tmp_path: Path) -> None:
    add(PropertyOperational, [parcel(4, geometry=NOT_FINITE)])
    _, results = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    assert counts(results)[0] == {
        "name": "parcels",
        "features": 3,
        "reversed": 3,
        "unreadable": 1,
        "without_location": 1,
    }


def test_a_county_without_rows_gives_layers_without_features(empty_county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels", "sales"], "format": "geopackage"}, tmp_path)
    assert pyogrio.read_info(path, layer="parcels")["features"] == 0
    assert "property_class" in pyogrio.read_info(path, layer="parcels")["fields"]
    assert [(layer["name"], layer["features"]) for layer in results["layers"]] == [("parcels", 0), ("sales", 0)]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PART", 1)
    monkeypatch.setattr(copying, "_BLOCK", 400)


def test_blocks_leave_no_seam(county: None, small_blocks: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    assert [f["property_id"] for f in read(path, "parcels")] == [f"P{i:04}" for i in range(9)]
    assert results["layers"][0]["features"] == 9


def test_the_spatial_index_finds_features_of_every_block(county: None, small_blocks: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geopackage"}, tmp_path)
    sql = "SELECT count(*) AS n FROM rtree_parcels_geom"
    _, _, _, (count,) = raw.read(path, sql=sql, sql_dialect="SQLITE", read_geometry=False)
    assert count.tolist() == [9]
    _, _, _, (property_id,) = raw.read(
        path, layer="parcels", columns=["property_id"], bbox=(-122.0085, 47.0, -122.0075, 48.0)
    )
    assert property_id.tolist() == ["P0008"]


def test_the_same_job_writes_the_same_bytes(county: None, tmp_path: Path) -> None:
    from functions.gis_export.schemas import GisExportRequest
    from functions.gis_export.service.export import write_export

    request = GisExportRequest(layers=["parcels", "sales"], format="geopackage")
    files = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        path, _ = write_export(COUNTY, request, folder, "same", LOADED, lambda *_: None)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def pseudo_mercator(longitude: float, latitude: float) -> tuple[float, float]:
    """EPSG:3857 (EPSG guidance note 7-2, method 1024)."""
    radius = 6_378_137.0
    return radius * math.radians(longitude), radius * math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))


def utm_zone_10_north(longitude: float, latitude: float) -> tuple[float, float]:
    """EPSG:32610, by Krueger's series to the third order (good for a millimetre inside the zone)."""
    n = (1 / 298.257223563) / (2 - 1 / 298.257223563)
    axis = 6_378_137.0 / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16, 13 * n**2 / 48 - 3 * n**3 / 5, 61 * n**3 / 240)
    sine, away = math.sin(math.radians(latitude)), math.radians(longitude + 123)
    e = 2 * math.sqrt(n) / (1 + n)
    t = math.sinh(math.atanh(sine) - e * math.atanh(e * sine))
    xi, eta = math.atan2(t, math.cos(away)), math.atanh(math.sin(away) / math.sqrt(1 + t * t))
    terms = list(enumerate(alpha, start=1))
    easting = eta + sum(a * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, a in terms)
    northing = xi + sum(a * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, a in terms)
    return 500_000 + 0.9996 * axis * easting, 0.9996 * axis * northing


@pytest.mark.parametrize(("crs", "formula"), [("EPSG:3857", pseudo_mercator), ("EPSG:32610", utm_zone_10_north)])
def test_coordinates_are_those_of_the_reference_system(
    county: None, tmp_path: Path, crs: str, formula: Callable[[float, float], tuple[float, float]]
) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geopackage", "crs": crs}, tmp_path)
    assert pyogrio.read_info(path, layer="parcels")["crs"] == crs
    for feature in read(path, "parcels"):
        number = int(feature["property_id"][1:])
        easting, northing = formula(-122.0 - number / 1000, 47.2 + number / 1000)
        assert feature["shape"].x == pytest.approx(easting, abs=0.002)
        assert feature["shape"].y == pytest.approx(northing, abs=0.002)
