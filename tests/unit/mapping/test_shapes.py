"""A row's shape: well-known binary of any kind, its reference system, and where it may lie."""

import math
import struct
from contextlib import suppress
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from shared.geo.geometry import ShapeError, read_shape, wkt_to_wkb
from shared.geo.reference_systems import UnknownSystemError, srid_of_esri, srid_of_projjson
from tests.unit.mapping.mappings import mapped

SQUARE = shapely.box(-122.5, 47.5, -122.4, 47.6)
HOLED = shapely.Polygon(shapely.box(0, 0, 9, 9).exterior, [shapely.box(1, 1, 2, 2).exterior])
SHAPES = [shapely.Point(-122.5, 47.5), SQUARE, HOLED, shapely.MultiPolygon([SQUARE, shapely.box(-122.3, 47, -122, 48)])]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("srid", [None, 4326, 4269, 0])
def test_any_well_known_binary_becomes_the_plain_one(
    shape: Any, flavor: str, order: int, dimensions: int, srid: int | None
) -> None:
    if srid is not None and flavor == "iso":
        pytest.skip("ISO has no reference system in it")
    given_ = shapely.force_3d(shape, 12.0) if dimensions == 3 else shape
    given_ = given_ if srid is None else shapely.set_srid(given_, srid)
    text = shapely.to_wkb(given_, hex=True, flavor=flavor, byte_order=order, include_srid=srid is not None)
    found = read_shape(text)
    assert found is not None
    read = shapely.from_wkb(found)
    assert read.equals(shape)
    assert not read.has_z
    assert shapely.get_srid(read) == 0


def test_measures_are_dropped() -> None:
    point = struct.pack("<BIddd", 1, 2001, -122.5, 47.5, 9.0)
    assert shapely.from_wkb(read_shape(point.hex()) or "").equals(SHAPES[0])


@pytest.mark.parametrize("srid", [2285, 32610, 26910, 4267])
def test_a_shape_in_another_system_rejects_its_row_by_the_systems_name(srid: int) -> None:
    feet = shapely.set_srid(shapely.box(1_300_000, 200_000, 1_300_100, 200_100), srid)
    texts = [shapely.to_wkb(feet, hex=True, include_srid=True), f"SRID={srid};{feet.wkb_hex}", SQUARE.wkb_hex]
    rows = mapped("{source: a, target: geometry, type: geometry}", *texts)
    assert rows.good.height == 1
    assert rows.rejected.height == 2
    for reasons in rows.rejected["reasons"]:
        assert f"reference system {srid} (SRID)" in reasons
        assert "ST_Transform(geom, 4326)" in reasons


def test_a_system_in_well_known_text_is_honoured() -> None:
    field = "{source: a, target: geometry, type: geometry, transformations: [{type: parse_wkt}]}"
    rows = mapped(field, "SRID=2285;POINT (1300000 200000)", "SRID=4326;POINT (-122.5 47.5)")
    assert rows.good["geometry"].to_list() == ["\\x" + SHAPES[0].wkb_hex.lower()]
    assert "2285" in rows.rejected["reasons"][0]


@pytest.mark.parametrize("srid", [3857, 102100, 900913])
def test_web_mercator_is_brought_to_degrees(srid: int) -> None:
    metres = shapely.Polygon([(-13_636_637.6, 6_024_072.1), (-13_636_637.6, 6_040_554.6), (-13_625_505.7, 6_024_072.1)])
    finding = shapely.from_wkb(read_shape(f"SRID={srid};{metres.wkb_hex}") or "")
    assert finding.bounds == pytest.approx((-122.5, 47.5, -122.4, 47.6), abs=1e-4)


FAULTY = {
    "beyond the east": (shapely.box(179, 0, 181, 1), "outside the earth's degrees"),
    "feet": (shapely.Point(1_300_000, 200_000), "outside the earth's degrees"),
    "one vertex far away": (shapely.Polygon([(-122, 47), (0, 0), (-121, 47)]), "spans 122 degrees"),
}


@pytest.mark.parametrize(("shape", "reason"), FAULTY.values(), ids=list(FAULTY))
def test_a_shape_that_lies_nowhere_rejects_its_row(shape: Any, reason: str) -> None:
    rows = mapped("{source: a, target: geometry, type: geometry}", shape.wkb_hex)
    assert '"field":"geometry"' in rows.rejected["reasons"][0]
    assert reason in rows.rejected["reasons"][0]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_vertex_that_is_no_number_rejects_its_row(number: float, axis: int) -> None:
    content = bytearray(SQUARE.wkb)
    struct.pack_into("<d", content, 13 + 16 * 2 + 8 * axis, number)
    with pytest.raises(ShapeError, match="no numbers"):
        read_shape(content.hex())


def test_an_empty_shape_is_none() -> None:
    assert read_shape(shapely.Polygon().wkb_hex) is None
    assert read_shape(shapely.Point().wkb_hex) is None
    assert read_shape(shapely.MultiPolygon().wkb_hex) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("00", "it is cut off"),
        ("zz", "it is not hexadecimal"),
        ("x", "it is not hexadecimal"),
        (SQUARE.wkb_hex + "00", "1 bytes follow its end"),
        (shapely.LineString([(0, 0), (1, 1)]).wkb_hex, "kind 2"),
        (struct.pack("<BII", 1, 6, 1).hex() * 3000, "kind 6"),
        ("07" + SQUARE.wkb_hex[2:], "byte order is 7"),
        ("CRS=is in the system of the moon;" + SQUARE.wkb_hex, "is in the system of the moon"),
        ("hello;" + SQUARE.wkb_hex, "which is no reference system"),
    ],
)
def test_what_is_no_shape_says_why(text: str, reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        read_shape(text)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_shape_raise_nothing_else(content: bytes) -> None:
    with suppress(ShapeError):  # and nothing else
        read_shape(content.hex())


@given(st.integers(0, 92), st.integers(0, 255))
def test_a_changed_byte_gives_a_shape_or_a_reason(place: int, byte: int) -> None:
    content = bytearray(SQUARE.wkb)
    content[place] = byte
    try:
        shape = read_shape(content.hex())
    except ShapeError:
        return
    assert shape is None or shapely.from_wkb(shape, on_invalid="fix") is not None


def test_esri_says_its_system_by_code_or_by_text() -> None:
    assert srid_of_esri({"wkid": 102100, "latestWkid": 3857}) == 3857
    assert srid_of_esri({"wkid": 4326}) == 4326
    assert srid_of_esri({}) is None
    assert srid_of_esri({"wkt": 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",1,2]]]'}) == 4326
    with pytest.raises(UnknownSystemError, match="County Local Grid"):
        srid_of_esri({"wkt": 'PROJCS["County Local Grid",GEOGCS["GCS_North_American_1983"]]'})


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        ({"id": {"authority": "OGC", "code": "CRS84"}}, 4326),
        ({"id": {"authority": "EPSG", "code": 4269}}, 4269),
        ({"id": {"authority": "EPSG", "code": 2285}, "name": "NAD83 / Washington North (ftUS)"}, "EPSG:2285 .NAD83"),
        ({"name": "a grid of the county's"}, "a grid of the county's"),
        (None, "does not say"),
    ],
)
def test_geoparquets_system_is_known_or_named(crs: Any, said: Any) -> None:
    if isinstance(said, int):
        assert srid_of_projjson(crs) == said
        return
    with pytest.raises(UnknownSystemError, match=said):
        srid_of_projjson(crs)


def test_a_system_stays_before_the_binary_of_well_known_text() -> None:
    assert wkt_to_wkb("SRID=2285;POINT (1 2)") == f"SRID=2285;{shapely.Point(1, 2).wkb_hex.lower()}"
