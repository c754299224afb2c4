"""Vector tiles, read back by GDAL: shapes, attributes, and tiles that are empty or do not exist."""

import base64
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.geometry
from pyogrio.raw import read
from sqlalchemy import insert

from functions.features.domain.tiles import EXTENT, MAX_ZOOM, tile_at
from shared.db import unit_of_work
from shared.db.models import District, DistrictLayer
from tests.gateway import Answer
from tests.integration.evidence_county import COUNTY
from tests.integration.features.conftest import COLLECTION, COUNTRIES, get, items

pytestmark = pytest.mark.usefixtures("county")
TILE = f"{COLLECTION}/tiles/WebMercatorQuad/{{tile_matrix}}/{{tile_row}}/{{tile_col}}"
TILESET = f"{COLLECTION}/tiles/WebMercatorQuad"
WORLD_METERS = 40_075_016.68557849
HOSTILE = {
    'say "no"': 'a "quoted" text',
    "it's": "it's",
    "back\\slash": "back\\slash\n",
    "100%s :value {0}": "%s",
    "Größe_名": "名",
    "x" * 300: "long",
    "); DROP TABLE districts; --": "still there",
}


def tile(collection_id: str, zoom: object, row: object, column: object) -> Answer:
    place = {"tile_matrix": str(zoom), "tile_row": str(row), "tile_col": str(column)}
    return get(TILE, collection_id, path=place)


def opened(answer: Answer, folder: Path, zoom: int, row: int, column: int) -> tuple[Any, dict[str, Any]]:
    """The shapes of a tile in web Mercator's meters, and its attributes by name, as GDAL reads them."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    file = folder / "tile.pbf"
    file.write_bytes(base64.b64decode(answer.body))
    meta, _, shapes, values = read(file, X=str(column), Y=str(row), Z=str(zoom), CLIP="NO")
    return shapely.from_wkb(shapes), dict(zip(meta["fields"], values, strict=True))


@pytest.mark.parametrize(("zoom", "row", "column"), [(0, 0, 0), (2, 1, 2), (5, 11, 16)])
def test_outlines_lie_within_a_unit_of_where_they_are(zoom: int, row: int, column: int, tmp_path: Path) -> None:
    shapes, values = opened(tile(COUNTRIES, zoom, row, column), tmp_path, zoom, row, column)
    size = WORLD_METERS / 2**zoom
    west, north = column * size - WORLD_METERS / 2, WORLD_METERS / 2 - row * size
    inside = shapely.box(west, north - size, west + size, north)
    unit = size / EXTENT
    whole = {
        feature["properties"]["district_id"]: shapely.make_valid(shapely.geometry.shape(feature["geometry"]))
        for feature in items(COUNTRIES, crs="http://www.opengis.net/def/crs/EPSG/0/3857", limit=1000).body["features"]
    }
    expected = {key: shapely.intersection(shape, inside) for key, shape in whole.items()}

    drawn = dict(zip(values["district_id"], shapely.make_valid(shapes), strict=True))
    assert {key for key, shape in expected.items() if shape.area > (4 * unit) ** 2} <= set(drawn)
    for key, shape in drawn.items():
        moved = shapely.symmetric_difference(shapely.intersection(shape, inside), expected[key]).area
        assert moved <= unit * (shapely.length(expected[key]) + 8 * unit), key


def test_points_are_in_the_tile_of_their_place_with_their_attributes(tmp_path: Path) -> None:
    parcels = {feature["id"]: feature for feature in items("parcels", limit=1000).body["features"]}
    longitude, latitude = parcels["P0100"]["geometry"]["coordinates"]
    column, row = tile_at(longitude, latitude, 14)
    shapes, values = opened(tile("parcels", 14, row, column), tmp_path, 14, row, column)

    here = list(values["property_id"]).index("P0100")
    radius = WORLD_METERS / 2 / np.pi
    east, north = radius * np.radians(longitude), radius * np.arcsinh(np.tan(np.radians(latitude)))
    assert shapely.get_coordinates(shapes[here])[0] == pytest.approx([east, north], abs=WORLD_METERS / 2**14 / EXTENT)
    properties = parcels["P0100"]["properties"]
    for name in ("situs_address", "year_built", "total_value"):
        assert values[name][here] == properties[name]
    assert set(values["property_id"]) <= set(parcels)


def test_a_tile_without_features_is_204_and_says_nothing() -> None:
    answer = tile("parcels", 14, 0, 0)
    assert (answer.status, answer.body) == (204, "")


@pytest.mark.parametrize(
    "place",
    [
        (MAX_ZOOM + 1, 0, 0),
        (11, 0, 0),  # parcels have levels from 12 on
        (14, 2**14, 0),
        (14, 0, 2**14),
        (14, -1, 0),
        ("14.0", 0, 0),
        ("٣", 0, 0),
        (14, "0x1", 0),
        (14, "9" * 400, 0),
        (14, " 1", 0),
    ],
    ids=str,
)
def test_a_tile_that_the_set_does_not_have_is_404(place: tuple[object, object, object]) -> None:
    answer = tile("parcels", *place)
    assert (answer.status, answer.body["type"].rsplit(":", 1)[-1]) == (404, "tile-not-found")


def test_a_tile_of_no_collection_and_an_unknown_parameter_are_refused() -> None:
    assert tile("nothing", 14, 0, 0).status == 404
    place = {"tile_matrix": "14", "tile_row": "0", "tile_col": "0"}
    assert get(TILE, "parcels", path=place, filter="1=1").status == 400


def test_the_tile_set_has_the_levels_that_tiles_have() -> None:
    levels = {limit["tileMatrix"] for limit in get(TILESET, "parcels").body["tileMatrixSetLimits"]}
    assert levels == {str(zoom) for zoom in range(12, MAX_ZOOM + 1)}


def test_attributes_with_hostile_names_and_values_are_as_they_were(tmp_path: Path) -> None:
    numbers = {"least": -(2**53) + 1, "greatest": 2**53 - 1}
    kinds = dict.fromkeys(HOSTILE, "text") | dict.fromkeys(numbers, "integer")
    shape = shapely.box(10, 40, 20, 50)
    layer: dict[str, Any] = {"county_id": COUNTY, "layer": "hostile"}
    with unit_of_work(COUNTY) as connection:
        fields = [{"name": name, "title": name, "kind": kind} for name, kind in kinds.items()]
        described = {"title": "<b>", "kind": "other", "geometry_type": "polygon", "fields": fields, "source": {}}
        connection.execute(insert(DistrictLayer).values(**layer, **described, version=1, loaded_by="a test"))
        row = {"district_id": "1", "name": "Only", "valid_from": date(2020, 1, 1), "attributes": HOSTILE | numbers}
        bounds = dict(zip(("west", "south", "east", "north"), shape.bounds, strict=True))
        connection.execute(insert(District).values(**layer, **row, **bounds, geometry=shapely.to_wkb(shape)))

    _, values = opened(tile("hostile", 0, 0, 0), tmp_path, 0, 0, 0)
    (feature,) = items("hostile").body["features"]
    for name, value in (HOSTILE | numbers).items():
        assert values[name][0] == feature["properties"][name] == value
