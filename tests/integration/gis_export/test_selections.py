"""Windows, areas and filters of exports: what is in the file."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import shapely

from shared.db.models import PropertyOperational
from tests.integration.gis_export.conftest import SQUARE, add, parcel
from tests.integration.gis_export.exporting import exported

TRIANGLE = {
    "type": "Polygon",
    "coordinates": [[[-122.0045, 47.2], [-122.0, 47.2], [-122.0045, 47.21], [-122.0045, 47.2]]],
}


def ids(tmp_path: Path, layer: str = "parcels", **selection: Any) -> list[str]:
    path, _ = exported({"layers": [layer], "format": "geojson", **selection}, tmp_path)
    with zipfile.ZipFile(path) as archive:
        features = json.loads(archive.read(f"{layer}.geojson"))["features"]
    return [next(iter(feature["properties"].values())) for feature in features]


def test_an_area_takes_what_it_touches(county: None, tmp_path: Path) -> None:
    inside = ids(tmp_path, area=TRIANGLE)
    assert inside == ["P0000", "P0001", "P0002", "P0003", "P0004"]
    assert ids(tmp_path, area=TRIANGLE, bbox=[-122.0025, 47, -121, 48]) == ["P0000", "P0001", "P0002"]


def test_a_parcel_is_in_a_window_that_its_shape_touches_and_its_point_does_not(
    shaped_county: None, tmp_path: Path
) -> None:
    assert ids(tmp_path, bbox=[-121.9995, 47.0, -121.999, 47.0005]) == ["P0001", "P0002", "P0003"]
    assert ids(tmp_path, bbox=[-122.0015, 47.2, -122.0005, 47.3]) == []


def test_a_window_across_the_180th_meridian_takes_both_sides(empty_county: None, tmp_path: Path) -> None:
    add(
        PropertyOperational,
        [
            parcel(1, longitude=179.9, latitude=52.0),
            parcel(2, longitude=-179.9, latitude=52.0),
            parcel(3, longitude=0.0, latitude=52.0),
        ],
    )
    assert ids(tmp_path, bbox=[179, 51, -179, 53]) == ["P0001", "P0002"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("year_built < 1904", ["P0001", "P0002"]),
        ({"op": "<", "args": [{"property": "year_built"}, 1904]}, ["P0001", "P0002"]),
        ("situs_address LIKE '%7 Main%' OR property_id = 'P0001'", ["P0001", "P0007"]),
        ("S_INTERSECTS(geom, BBOX(-122.0015, 47, -122.0005, 48))", ["P0001"]),
        ("S_INTERSECTS(geom, BBOX(-122.0035, 47, -122.0005, 48)) AND year_built = 1901", ["P0001"]),
        ("S_INTERSECTS(geom, BBOX(-122.0015, 47, -122.0005, 48)) OR year_built = 1907", ["P0001", "P0007"]),
        ("parcel_number = 'it''s \\ : % {county_id}'", []),
    ],
)
def test_a_filter_selects_rows_as_text_and_as_json(
    content: str | dict[str, Any], expected: list[str], county: None, tmp_path: Path
) -> None:
    assert ids(tmp_path, filter=content) == expected


def test_a_faulty_shape_is_counted_where_it_is_in_the_window(empty_county: None, tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(-122, 47), (-121.998, 47.002), (-121.998, 47), (-122, 47.002)])
    shapes = (bow_tie, shapely.affinity.translate(bow_tie, 1), shapely.orient_polygons(SQUARE))
    add(PropertyOperational, [parcel(number, geometry=shapely.to_wkb(shape)) for number, shape in enumerate(shapes)])
    _, results = exported({"layers": ["parcels"], "format": "csv", "bbox": [-123, 46, -121.5, 48]}, tmp_path)
    assert (results["layers"][0]["features"], results["layers"][0]["repaired"]) == (2, 1)
