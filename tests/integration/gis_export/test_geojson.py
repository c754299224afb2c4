"""GeoJSON, read back as JSON and with GDAL."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyogrio
import pytest
import shapely

from tests.integration.gis_export.conftest import HOSTILE, SQUARE
from tests.integration.gis_export.exporting import exported


def collection(path: Path, layer: str = "parcels") -> dict[str, Any]:
    with ZipFile(path) as archive:
        parsed: dict[str, Any] = json.loads(archive.read(f"{layer}.geojson"))
    return parsed


def parcels(path: Path) -> dict[str, dict[str, Any]]:
    return {feature["properties"]["property_id"]: feature for feature in collection(path)["features"]}


def test_one_layer_is_one_feature_collection(county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels"], "format": "geojson"}, tmp_path)
    parsed = collection(path)
    assert path.name.endswith(".geojson.zip")
    assert results["file"]["content_type"] == "application/zip"
    assert parsed["type"] == "FeatureCollection"
    assert "crs" not in parsed
    assert len(parsed["features"]) == results["layers"][0]["features"] == 9


def test_properties_are_the_databases(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geojson"}, tmp_path)
    features = parcels(path)
    assert features["P0001"]["geometry"] == {"type": "Point", "coordinates": [-122.001, 47.201]}
    properties = features["P0001"]["properties"]
    assert properties["total_value"] == 450001.01
    assert properties["last_sale_date"] == "2020-01-02"
    assert properties["year_built"] == 1901
    assert properties["updated_at"] == "2026-03-01T12:30:15.250Z"
    assert properties["exemption_flags"] == "senior, veteran"
    assert properties["quality"] is None
    assert features["P0003"]["properties"]["year_built"] is None
    assert features["P0004"]["properties"]["total_value"] is None
    assert features["P0008"]["properties"]["situs_address"] == HOSTILE


def test_gdal_reads_as_many_features_with_their_types(county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geojson"}, tmp_path)
    info = pyogrio.read_info(f"/vsizip/{path}/parcels.geojson")
    types = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert info["features"] == 9
    assert info["crs"] in ("EPSG:4326", "OGC:CRS84")
    assert (types["last_sale_date"], types["updated_at"], types["total_value"]) == ("OFTDate", "OFTDateTime", "OFTReal")


def test_outer_rings_run_counterclockwise(shaped_county: None, tmp_path: Path) -> None:
    path, _ = exported({"layers": ["parcels"], "format": "geojson"}, tmp_path)
    shape = shapely.from_geojson(json.dumps(parcels(path)["P0001"]["geometry"]))
    assert not SQUARE.exterior.is_ccw
    (shape,) = shape.geoms
    assert shape.exterior.is_ccw
    assert shape.equals(SQUARE)


def test_two_layers_come_in_one_archive(county: None, tmp_path: Path) -> None:
    path, results = exported({"layers": ["parcels", "sales"], "format": "geojson"}, tmp_path)
    assert results["file"]["content_type"] == "application/zip"
    with ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.txt", "parcels.geojson", "sales.geojson"]
        sales = json.loads(archive.read("sales.geojson"))
    assert [feature["properties"]["sale_id"] for feature in sales["features"]] == ["S0001", "S0002", "S0005"]
    assert pyogrio.read_info(f"/vsizip/{path}/parcels.geojson")["features"] == 9


@pytest.mark.parametrize("layers", [["parcels"], ["parcels", "sales"]])
def test_a_county_without_rows_gives_empty_collections(empty_county: None, tmp_path: Path, layers: list[str]) -> None:
    path, results = exported({"layers": layers, "format": "geojson"}, tmp_path)
    assert [layer["features"] for layer in results["layers"]] == [0] * len(layers)
    assert [collection(path, layer)["features"] for layer in layers] == [[]] * len(layers)
