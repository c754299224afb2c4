"""Every format, opened again and compared with the database."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
import shapely
from pyogrio import raw

from functions.gis_export.domain.formats import FORMATS
from shared.contracts.export_formats import ExportFormat
from shared.layers import STATIC_LAYERS
from tests.integration.gis_export.conftest import HOSTILE
from tests.integration.gis_export.exporting import exported

PRINTABLE = HOSTILE.replace("\t", " ").replace("\n", " ").replace("\r", " ").strip()


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


def texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in row.items()}


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
