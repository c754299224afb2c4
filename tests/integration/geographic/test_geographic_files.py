"""Geographic files: shapes, records, reference systems and encodings, as GDAL writes them and as others left them."""

import io
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from pyogrio import raw

from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.mapping import VALUE_FAULTS
from shared.problems import Problem, Unprocessable
from shared.sources import KeyRange
from shared.sources.files.geographic import conversion
from tests.integration.geographic.layers import FORMATS, SQUARES, moved, sent, write_layer, zipped
from tests.unit.sources.bucket import files_source, frames, put, source_of, table, whole

SYSTEMS = {
    2927: "Washington South, feet, HARN", 2286: "Washington South, feet", 32149: "metres", 26910: "UTM 10N",
    3857: "web mercator", 4269: "NAD83", 5070: "Albers", 6599: "NAD83(2011), feet",
}  # fmt: skip


def placed(frame: pl.DataFrame) -> list[Any]:
    return [text and shapely.from_wkb(bytes.fromhex(text)) for text in frame.get_column(WKB)]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_gives_its_rows_in_degrees_with_a_point_in_each_shape(tmp_path: Path, format_: str) -> None:
    code = 4326 if format_ in {"kml", "geojson"} else 2286
    values = {"VALUE": np.array([1200.5, 2.0, 3.0, 4.0]), "NAME_OF": np.array(["Peña", "b", "", "d"], dtype=object)}
    path = write_layer(tmp_path, format_, moved(SQUARES, code), code=code, fields=values)

    frame = whole(source_of(sent(path, format_), format=format_)).sort("PIN")  # FlatGeobuf sorts by place

    assert frame.get_column("PIN").to_list() == ["P0", "P1", "P2", "P3"]
    assert frame.get_column("NAME_OF")[0] == "Peña"
    assert float(frame.get_column("VALUE")[0]) == 1200.5
    assert frame.get_column(VALUE_FAULTS).to_list() == [None] * 4
    for shape, read, x, y in zip(SQUARES, placed(frame), frame[LONGITUDE], frame[LATITUDE], strict=True):
        assert shapely.hausdorff_distance(shape, read) < 2e-6  # NAD83 is taken for WGS 84, and nothing else differs
        assert shapely.contains(read, shapely.Point(float(x), float(y)))


@pytest.mark.parametrize("code", SYSTEMS, ids=list(SYSTEMS.values()))
def test_reference_systems_are_brought_to_degrees(tmp_path: Path, code: int) -> None:
    path = write_layer(tmp_path, "shapefile", moved(SQUARES, code), code=code)
    for shape, read in zip(SQUARES, placed(whole(source_of(zipped(path), format="shapefile"))), strict=True):
        assert shapely.hausdorff_distance(shape, read) < 3e-5  # HARN is a metre from WGS 84


def test_a_system_that_a_file_does_not_say_is_asked_for_and_can_be_set(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "shapefile", moved(SQUARES, 2286), code=2286)
    path.with_suffix(".prj").unlink()
    with pytest.raises(Unprocessable, match=r"lacks its \.prj.*setting `crs`"):
        source_of(zipped(path), format="shapefile")
    frame = whole(source_of(zipped(path), format="shapefile", crs="EPSG:2286"))
    assert shapely.hausdorff_distance(placed(frame)[0], SQUARES[0]) < 1e-8


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('LOCAL_CS["a drawing",UNIT["Foot_US",0.3048006096012192]]', "Engineering CRS"),
        ("nonsense", "does not say its reference system"),
    ],
)
def test_a_system_that_is_none_of_the_earth_is_refused_by_name(tmp_path: Path, said: str, reason: str) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES)
    path.with_suffix(".prj").write_text(said)
    with pytest.raises(Unprocessable, match=reason):
        source_of(zipped(path), format="shapefile")


def test_a_deleted_record_takes_its_shape_with_it(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES)
    table_ = path.with_suffix(".dbf")
    content = bytearray(table_.read_bytes())
    header, length = struct.unpack_from("<HH", content, 8)
    content[header + length] = ord("*")
    table_.write_bytes(content)
    frame = whole(source_of(zipped(path), format="shapefile"))
    assert frame.get_column("PIN").to_list() == ["P0", "P2", "P3"]
    assert [shapely.equals(*pair) for pair in zip(placed(frame), [SQUARES[0], *SQUARES[2:]], strict=True)] == [True] * 3


def test_the_index_says_which_shape_is_whose(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "shapefile", [shapely.box(i, 1, i + 0.5, 2) for i in range(3)])
    shapes, index = bytearray(path.read_bytes()), bytearray(path.with_suffix(".shx").read_bytes())
    begin, words = struct.unpack_from(">ii", index, 100)
    redrawn = shapes[2 * begin : 2 * begin + 8 + 2 * words]  # the first, moved by 40 degrees, at the end of the file
    struct.pack_into("<4d", redrawn, 12, 40, 1, 40.5, 2)
    for at in range(8 + 4 + 32 + 4 + 4 + 4, len(redrawn), 16):
        struct.pack_into("<d", redrawn, at, 40 + struct.unpack_from("<d", redrawn, at)[0])
    struct.pack_into(">i", index, 100, len(shapes) // 2)
    shapes += redrawn
    struct.pack_into(">i", shapes, 24, len(shapes) // 2)
    path.write_bytes(shapes)
    path.with_suffix(".shx").write_bytes(index)
    frame = placed(whole(source_of(zipped(path), format="shapefile")))
    assert [shape.bounds[0] for shape in frame] == [40, 1, 2]


@pytest.mark.parametrize(
    ("ending", "lost"), [(".dbf", 30), (".dbf", 3), (".shp", 40), (".shx", 8), (".shp", 9_999), (".dbf", 9_999)]
)
def test_a_part_that_is_cut_off_is_refused(tmp_path: Path, ending: str, lost: int) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES * 3)
    part = path.with_suffix(ending)
    part.write_bytes(part.read_bytes()[: max(0, part.stat().st_size - lost)])
    with pytest.raises(Unprocessable, match=r"cut off|ends in its header") as refused:
        source_of(zipped(path), format="shapefile")
    assert f"parcels{ending}" in refused.value.detail or ".shp, .shx or .dbf" in refused.value.detail
    assert "Send it again" in refused.value.detail or "send it again" in refused.value.detail


def test_records_and_shapes_that_do_not_match_are_refused(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES)
    shorter = write_layer(tmp_path / "..", "shapefile", SQUARES[:3], name=tmp_path.name)
    path.with_suffix(".dbf").write_bytes(shorter.with_suffix(".dbf").read_bytes())
    with pytest.raises(Unprocessable, match=r"parcels\.shx has 4 shapes and parcels\.dbf 3 records"):
        source_of(zipped(path), format="shapefile")


@pytest.mark.parametrize("ending", [".shp", ".shx", ".dbf"])
def test_an_archive_without_a_part_is_incomplete(tmp_path: Path, ending: str) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES)
    path.with_suffix(ending).unlink()
    with pytest.raises(Unprocessable, match=rf"lacks parcels\{ending}|has these layers: none"):
        source_of(zipped(path), format="shapefile")


@pytest.mark.parametrize(
    ("code_page", "language", "codec"),
    [
        ("1252", 0, "cp1252"), ("ANSI 1252", 0, "cp1252"), ("windows-1252", 0, "cp1252"), ("OEM 850", 0, "cp850"),
        ("ISO 88591", 0, "latin-1"), ("8859_15", 0, "iso8859-15"), ("UTF-8", 0x57, "utf-8"), ("65001", 0, "utf-8"),
        (None, 0x57, "cp1252"), (None, 0x03, "cp1252"), (None, 0x02, "cp850"), (None, 0, "utf-8"), ("", 0x02, "cp850"),
    ],
)  # fmt: skip
def test_texts_are_in_the_encoding_that_the_file_declares(
    tmp_path: Path, code_page: str | None, language: int, codec: str
) -> None:
    frame = whole(source_of(encoded(tmp_path, "12 CALLE PEÑA", codec, code_page, language), format="shapefile"))
    assert frame.get_column("OWNADDR").to_list() == ["12 CALLE PEÑA", "x"]


def encoded(folder: Path, text: str, codec: str, code_page: str | None, language: int) -> bytes:
    stand_in = "q" * len(text.encode(codec))
    path = write_layer(folder, "shapefile", SQUARES[:2], fields={"OWNADDR": np.array([stand_in, "x"], dtype=object)})
    content = bytearray(path.with_suffix(".dbf").read_bytes().replace(stand_in.encode(), text.encode(codec)))
    content[29] = language
    path.with_suffix(".dbf").write_bytes(content)
    path.with_suffix(".cpg").unlink()
    if code_page is not None:
        path.with_suffix(".cpg").write_text(code_page)
    return zipped(path)


def test_the_setting_goes_before_what_a_file_declares(tmp_path: Path) -> None:
    content = encoded(tmp_path, "PEÑA", "cp850", "1252", 0x57)
    assert whole(source_of(content, format="shapefile", encoding="cp437")).get_column("OWNADDR")[0] == "PEÑA"


def test_an_encoding_that_nothing_says_is_asked_for_with_the_byte(tmp_path: Path) -> None:
    content = encoded(tmp_path, "PEÑA", "cp1252", None, 0)
    with pytest.raises(Unprocessable, match=r"record 1, OWNADDR: the byte 0xd1 is no utf-8.*setting `encoding`"):
        source_of(content, format="shapefile")
    with pytest.raises(Unprocessable, match=r"parcels\.cpg says 'BIG-6'"):
        source_of(encoded(tmp_path, "PEÑA", "cp1252", "BIG-6", 0), format="shapefile")


def test_a_byte_that_the_declared_encoding_does_not_have_is_its_rows_fault(tmp_path: Path) -> None:
    path = encoded(tmp_path, "PEÑA", "latin-1", "1252", 0)
    frame = whole(source_of(path, format="shapefile", encoding="utf-8"))
    assert "the byte 0xd1 is no utf-8" in frame.get_column(VALUE_FAULTS)[0]
    assert frame.get_column(VALUE_FAULTS)[1] is None


FAR = {
    "nan": (shapely.Polygon([(0, 0), (np.nan, 1), (1, 1), (0, 0)]), "no numbers"),
    "infinite": (shapely.Polygon([(0, 0), (np.inf, 1), (1, 1), (0, 0)]), "no numbers"),
    "beyond the earth": (shapely.box(-122.9, 47, 999, 48), "nowhere that WGS 84 is meant for"),
    "far from the others": (shapely.Polygon([(-122.9, 47), (0, 0), (-122.8, 47)]), "spans 122.9 degrees"),
    "a line": (shapely.LineString([(0, 0), (1, 1)]), "is a LineString"),
    "several points": (shapely.MultiPoint([(0, 0), (1, 1)]), "is a MultiPoint"),
}


@pytest.mark.parametrize(("shape", "reason"), FAR.values(), ids=list(FAR))
def test_a_shape_that_cannot_be_is_its_rows_fault(tmp_path: Path, shape: Any, reason: str) -> None:
    path = write_layer(tmp_path, "flatgeobuf", [SQUARES[0], shape, SQUARES[1]], layer_options={"SPATIAL_INDEX": "NO"})
    frame = whole(source_of(path.read_bytes(), format="flatgeobuf"))
    assert frame.get_column("PIN").to_list() == ["P0", "P1", "P2"]
    assert reason in frame.get_column(VALUE_FAULTS)[1]
    assert [fault is None for fault in frame.get_column(VALUE_FAULTS)] == [True, False, True]
    assert [shape is None for shape in placed(frame)] == [False, True, False]


def test_a_vertex_that_its_system_is_not_meant_for_is_named(tmp_path: Path) -> None:
    feet = moved(SQUARES, 2286)
    feet[1] = shapely.Polygon([*feet[1].exterior.coords[:3], (1e12, 1e12)])
    frame = whole(source_of(zipped(write_layer(tmp_path, "shapefile", feet, code=2286)), format="shapefile"))
    assert "1000000000000, 1000000000000" in frame.get_column(VALUE_FAULTS)[1]
    assert "Washington South" in frame.get_column(VALUE_FAULTS)[1]


def test_heights_and_measures_are_dropped_and_points_and_absent_shapes_taken(tmp_path: Path) -> None:
    shapes = [shapely.Point(-122.5, 47.5, 12), None, shapely.force_3d(SQUARES[0], 7), shapely.Polygon(),
              shapely.GeometryCollection([SQUARES[0], SQUARES[2]])]  # fmt: skip
    path = write_layer(tmp_path, "geopackage", shapes)
    frame = whole(source_of(path.read_bytes(), format="geopackage"))
    assert frame.select(LONGITUDE, LATITUDE).rows()[:2] == [("-122.5", "47.5"), (None, None)]
    assert placed(frame)[2].equals(SQUARES[0])
    assert not placed(frame)[2].has_z
    assert placed(frame)[3] is None
    assert placed(frame)[4].geom_type == "MultiPolygon"
    assert frame.get_column(VALUE_FAULTS).to_list() == [None] * 5


def test_arcs_become_lines_of_short_segments(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "geopackage", [SQUARES[0], SQUARES[1]])
    circle = struct.pack("<BII", 1, 8, 5) + struct.pack("<10d", 0, 0, 1, 1, 2, 0, 1, -1, 0, 0)
    curved = struct.pack("<BII", 1, 12, 1) + struct.pack("<BII", 1, 10, 1) + circle
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE parcels SET geom = ? WHERE fid = 2", (b"GP\0\x01" + struct.pack("<i", 4326) + curved,))
    database.close()
    frame = placed(whole(source_of(path.read_bytes(), format="geopackage")))
    assert frame[0].equals(SQUARES[0])
    assert frame[1].area == pytest.approx(np.pi, rel=1e-3)


def test_rings_that_are_not_closed_are_closed(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "geopackage", [SQUARES[0]])
    ring = struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1)
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE parcels SET geom = ?", (b"GP\0\x01" + struct.pack("<i", 4326) + ring,))
    database.close()
    (shape,) = placed(whole(source_of(path.read_bytes(), format="geopackage")))
    assert shape.equals(shapely.box(0, 0, 1, 1))


def test_a_layer_has_to_be_named_where_there_are_several_and_each_is_a_table(tmp_path: Path) -> None:
    two = write_layer(tmp_path, "geopackage", SQUARES[:1])
    raw.write(two, np.array([shape.wkb for shape in SQUARES[1:]], dtype=object), [np.arange(3)], ["id"], driver="GPKG",
              layer="Roads", geometry_type="Unknown", crs="EPSG:4326", append=True)  # fmt: skip
    put("two.gpkg", two.read_bytes())
    layers = {name: {"format": "geopackage", "file": "two.gpkg", "layer": name} for name in ("parcels", "roads")}
    source = files_source(layers)
    assert [frames(source, 9, table(name))[0].height for name in layers] == [1, 3]
    with pytest.raises(Unprocessable, match="has these layers: parcels, Roads"):
        source_of(two.read_bytes(), format="geopackage")


def test_shapefiles_beside_each_other_in_one_archive(tmp_path: Path) -> None:
    paths = [write_layer(tmp_path, "shapefile", SQUARES[:n], name=name) for n, name in ((1, "roads"), (4, "Parcels"))]
    with pytest.raises(Unprocessable, match="has these layers: roads, Parcels"):
        source_of(zipped(*paths), format="shapefile")
    assert whole(source_of(zipped(*paths), format="shapefile", layer="parcels")).height == 4


def test_kmz_and_a_geodatabase_without_its_folder(tmp_path: Path) -> None:
    kml = write_layer(tmp_path, "kml", SQUARES)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(kml, "doc.kml")
        archive.writestr("files/icon.png", b"")
    assert whole(source_of(buffer.getvalue(), format="kml")).height == 4
    geodatabase = write_layer(tmp_path, "file_geodatabase", SQUARES)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in geodatabase.iterdir():
            archive.write(file, file.name)
    assert whole(source_of(buffer.getvalue(), format="file_geodatabase")).height == 4


@pytest.mark.parametrize("format_", ["geopackage", "file_geodatabase", "shapefile"])
def test_an_empty_layer_is_a_table_without_rows(tmp_path: Path, format_: str) -> None:
    path = write_layer(tmp_path, format_, [])
    source = source_of(sent(path, format_), format=format_)
    assert source.cut(table(), 10) == (0, [])
    assert {"PIN", WKB, LONGITUDE, LATITUDE} < set(whole(source).columns)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("content", [b"", b"id,a\n1,2\n", b"PK\x03\x04" + b"x" * 90], ids=["nothing", "csv", "zip"])
def test_a_file_that_is_not_of_its_format_is_refused(format_: str, content: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"parcels\.dat is no .* that can be read|parcels\.dat has "):
        source_of(content, format=format_)


def test_a_file_that_only_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    other = write_layer(tmp_path, "geojson", SQUARES)
    virtual = f'<OGRVRTDataSource><OGRVRTLayer name="parcels"><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer>'
    for format_ in ("geopackage", "geojson", "kml", "flatgeobuf"):
        with pytest.raises(Unprocessable, match="that can be read"):
            source_of(f"{virtual}</OGRVRTDataSource>".encode(), format=format_)


def test_a_sample_is_read_before_and_after_a_file_is_converted(tmp_path: Path) -> None:
    path = write_layer(tmp_path, "shapefile", SQUARES)
    tables = {"parcels": {"format": "shapefile", "file": "sampled.zip"}}
    put("sampled.zip", zipped(path))
    converted = files_source(tables).sample(table(), 2).frame
    put("sampled.zip", zipped(path, folder="another/"))
    fresh = files_source(tables, convert=False)
    assert fresh.sample(table(), 2).frame.equals(converted)
    assert converted.get_column("PIN").to_list() == ["P0", "P1"]
    with pytest.raises(Problem, match="has not been converted"):
        fresh.schema(table())


def test_parts_are_read_by_the_places_that_they_end_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "PART_ROWS", 1)
    shapes = [shapely.Point(i % 100, i // 100) for i in range(12_000)]
    path = write_layer(tmp_path, "flatgeobuf", shapes, layer_options={"SPATIAL_INDEX": "NO"})
    source = source_of(path.read_bytes(), format="flatgeobuf")
    total, ends = source.cut(table(), 50_000)
    assert (total, [end for end, _ in ends]) == (12_000, [5_000, 10_000])
    last = source.read(table(), source.schema(table()), KeyRange(ends[1], None)).frame()
    assert last.get_column("PIN").to_list() == [f"P{number}" for number in range(10_000, 12_000)]
    tables = frames(source, 50_000)
    assert pl.concat(tables).get_column("PIN").to_list() == [f"P{number}" for number in range(12_000)]
