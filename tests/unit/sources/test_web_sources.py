"""ArcGIS and Socrata as sources, against local servers that behave alike."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
import shapely

from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.mapping import VALUE_FAULTS
from shared.problems import SourceRefused, SourceUnavailable, Unprocessable
from shared.sources import Ability, ChangedSince, Key, KeyRange, Since, Source, SourceTable, with_overlap
from shared.sources.web.arcgis import ArcGisSource
from shared.sources.web.arcgis_features import convert_to_degrees
from shared.sources.web.client import MAX_TRIES
from shared.sources.web.socrata import SocrataSource
from tests.unit.sources.bucket import shuffled
from tests.unit.sources.web_servers import ArcGis, Server, Socrata, square

TOKEN = "t0ken-of-the-county"
PARCELS = SourceTable("parcels", None, ("PIN",))
DAY = 86_400_000


def features(count: int) -> list[dict[str, Any]]:
    """Object ids with gaps; edited one a day from 1970-01-02 on, but for every fifth."""
    return [
        {"OBJECTID": n * 2 + 1, "PIN": f"P{n:03}", "VALUE": n + 0.5, "EDITED": None if n % 5 == 4 else (n + 1) * DAY}
        for n in range(count)
    ]


def rows(count: int) -> list[dict[str, Any]]:
    ring = [[-120, 47], [-119.99, 47], [-119.99, 47.01], [-120, 47.01], [-120, 47]]  # counter-clockwise, as GeoJSON
    return [
        {
            ":id": f"row-{(n * 7) % 1000:04}", ":created_at": "2024-01-01T00:00:00.000Z",
            ":updated_at": f"2024-02-{n % 28 + 1:02}T00:00:00.000Z", "pin": f"P{n:03}",
            "value": None if n == 3 else str(n),
            "shape": {"type": "MultiPolygon", "coordinates": [[ring]]} if n % 2 else None,
            "tags": {"a": [1]} if n == 2 else None,
        }
        for n in range(count)
    ]  # fmt: skip


class Slept(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def arcgis() -> Iterator[Server]:
    server = Server(ArcGis(features(23)).answer)
    yield server
    server.stop()


@pytest.fixture
def layer(arcgis: Server, slept: Slept) -> Iterator[ArcGisSource]:
    source = ArcGisSource(f"{arcgis.start()}/x/FeatureServer", {"parcels": 0}, TOKEN, sleep=slept)
    yield source
    source.close()


@pytest.fixture
def socrata() -> Iterator[Server]:
    server = Server(Socrata(rows(23)).answer)
    yield server
    server.stop()


@pytest.fixture
def dataset(socrata: Server, slept: Slept, monkeypatch: pytest.MonkeyPatch) -> Iterator[SocrataSource]:
    from shared.sources.web import socrata as module

    monkeypatch.setattr(module, "PAGE_ROWS", 4)
    monkeypatch.setattr(module, "_IDS_BATCH_SIZE", 5)
    source = SocrataSource(socrata.start(), {"parcels": "abcd-1234"}, TOKEN, sleep=slept)
    yield source
    source.close()


def whole(source: Source, table: SourceTable, at_once: int) -> list[pl.DataFrame]:
    total, ends = source.cut(table, at_once)
    edges: list[Key | None] = [None, *ends, None]
    shape = shuffled(source.schema(table))
    extracts = [source.read(table, shape, KeyRange(*edge)) for edge in pairwise(edges)]
    assert sum(extract.rows for extract in extracts) == total == source.count(table)
    return [extract.frame() for extract in extracts]


@pytest.mark.parametrize("at_once", [1, 5, 23, 100])
def test_a_layer_is_read_whole_in_ranges_of_object_ids(layer: ArcGisSource, at_once: int) -> None:
    parts = whole(layer, PARCELS, at_once)
    assert all(part.height == at_once for part in parts[:-1])
    frame = pl.concat(parts)
    assert frame.get_column("PIN").to_list() == [f"P{n:03}" for n in range(23)]
    assert frame.row(1, named=True)["VALUE"] == "1.5"
    assert frame.get_column("EDITED").to_list()[:2] == ["1970-01-02 00:00:00", "1970-01-03 00:00:00"]


def test_a_layers_shapes_become_wkb_with_a_point_inside(layer: ArcGisSource) -> None:
    frame = pl.concat(whole(layer, PARCELS, 10))
    for row in frame.iter_rows(named=True):
        rings = square({"OBJECTID": int(row["OBJECTID"])}).get("rings")
        if rings is None:
            assert (row[WKB], row[LONGITUDE]) == (None, None)
            continue
        read = shapely.from_wkb(bytes.fromhex(row[WKB]))
        assert read.normalize().equals(shapely.Polygon(rings[0], rings[1:]).normalize())
        assert shapely.contains(read, shapely.Point(float(row[LONGITUDE]), float(row[LATITUDE])))


def test_a_page_that_is_too_large_for_the_server_is_halved(slept: Slept) -> None:
    server = Server(ArcGis(features(9), limit=1000, heavy=2).answer)
    source = ArcGisSource(f"{server.start()}/x/FeatureServer", {"parcels": 0}, None, sleep=slept)
    try:
        assert pl.concat(whole(source, PARCELS, 9)).height == 9
        assert slept == []
    finally:
        server.stop()


def test_a_date_of_edits_is_a_watermark(layer: ArcGisSource) -> None:
    mark = layer.watermark(PARCELS, "EDITED")
    assert mark == "1970-01-24 00:00:00"
    since = SourceTable("parcels", None, ("PIN",), Since("EDITED", with_overlap(mark, 86_400)))
    assert pl.concat(whole(layer, since, 2)).get_column("PIN").to_list() == ["P021", "P022"]
    numbers = SourceTable("parcels", None, ("PIN",), Since("VALUE", layer.watermark(PARCELS, "VALUE") or ""))
    assert layer.count(numbers) == 1
    with pytest.raises(Unprocessable, match="PIN cannot be a watermark"):
        layer.watermark(PARCELS, "PIN")


def test_keys_come_without_shapes(layer: ArcGisSource, arcgis: Server) -> None:
    (keys,) = layer.keys(PARCELS, ["PIN"])
    assert keys.rows() == [(f"P{n:03}",) for n in range(23)]
    assert all(asked.get("returnGeometry", "false") == "false" for _, asked in arcgis.requests)


@pytest.mark.parametrize("at_once", [1, 5, 23, 100])
def test_a_dataset_is_read_whole_by_keyset(dataset: SocrataSource, at_once: int, socrata: Server) -> None:
    frame = pl.concat(whole(dataset, PARCELS, at_once))
    assert sorted(frame.get_column("pin")) == [f"P{n:03}" for n in range(23)]
    assert not any("$offset" in asked for _, asked in socrata.requests)
    assert ":@computed_region_x" not in frame.columns
    by_pin = {row["pin"]: row for row in frame.iter_rows(named=True)}
    assert by_pin["P003"]["value"] is None
    assert by_pin["P002"]["tags"] == '{"a":[1]}'
    assert shapely.from_wkb(bytes.fromhex(by_pin["P001"][WKB])).equals(shapely.box(-120, 47, -119.99, 47.01))
    assert by_pin["P002"][WKB] is None


def test_a_datasets_time_of_update_is_a_watermark(dataset: SocrataSource) -> None:
    mark = dataset.watermark(PARCELS, ":updated_at")
    assert mark == "2024-02-23T00:00:00.000Z"
    since = SourceTable("parcels", None, ("pin",), Since(":updated_at", "2024-02-22T00:00:00.000Z"))
    assert sorted(pl.concat(whole(dataset, since, 10)).get_column("pin")) == ["P021", "P022"]
    with pytest.raises(Unprocessable, match="pin cannot be a watermark"):
        dataset.watermark(PARCELS, "pin")


def test_a_datasets_keys_come_alone(dataset: SocrataSource) -> None:
    keys = pl.concat(list(dataset.keys(PARCELS, ["pin"])))
    assert keys.columns == ["pin"]
    assert keys.height == 23


def test_a_busy_server_is_retried_after_the_seconds_that_it_names(
    layer: ArcGisSource, arcgis: Server, slept: Slept
) -> None:
    arcgis.faults += [
        (429, {"Retry-After": "7"}, b"slow down"), (503, {}, b""), (200, {}, b'{"count": 1'),
        (200, {"Declared-Length": "999"}, b'{"count"'), (200, {}, {"error": {"code": 503, "message": "busy"}}),
    ]  # fmt: skip
    assert layer.count(PARCELS) == 23
    assert len(slept) == 5
    assert slept[0] == 7
    assert all(wait <= 32 for wait in slept)


@pytest.mark.parametrize(
    "content",
    [
        b'{"count": 3, "extent": {"xmin": NaN, "ymin": -Infinity}}', b'\xef\xbb\xbf{"count": 3}',
        b'{"count": 3, "a": "x\ty\nz"}', '{"count": 3}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_json_is_read_as_servers_send_it(layer: ArcGisSource, arcgis: Server, slept: Slept, content: bytes) -> None:
    layer.schema(PARCELS)
    arcgis.faults.append((200, {}, content))
    assert layer.count(PARCELS) == 3
    assert slept == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"<html>Sign in</html>",
            r"no JSON \(expecting value at character 0\); it is text/html and begins '<html>Sign",
        ),
        (b"", "it is text/html and begins ''"),
        (b'{"count": 3, x}', "at character 13"),
        (b'{"a": "\xff"}', "byte 7 is no utf-8"),
    ],
)
def test_an_answer_that_is_not_json_is_refused_at_once(
    layer: ArcGisSource, arcgis: Server, slept: Slept, content: bytes, said: str
) -> None:
    layer.schema(PARCELS)
    arcgis.faults.append((200, {"Content-Type": "text/html"}, content))
    with pytest.raises(SourceRefused, match=said):
        layer.count(PARCELS)
    assert slept == []


def serve(service: ArcGis, slept: Slept) -> ArcGisSource:
    return ArcGisSource(f"{Server(service.answer).start()}/x/FeatureServer", {"parcels": 0}, None, sleep=slept)


@pytest.mark.parametrize("limit", [1, 3, 8, 22])
def test_missing_features_are_requested_again(slept: Slept, limit: int) -> None:
    service = ArcGis(features(23), limit=limit, heavy=1000)
    service.declared, service.flagged = 1000, False
    frame = pl.concat(whole(serve(service, slept), PARCELS, 10))
    assert frame["PIN"].to_list() == [f"P{n:03}" for n in range(23)]


def test_features_that_are_listed_but_not_returned_fail_the_read(slept: Slept) -> None:
    service = ArcGis(features(23), limit=1000, heavy=1000)
    service.hidden = {7, 9, 21}
    source = serve(service, slept)
    shape = source.schema(PARCELS)
    with pytest.raises(
        SourceUnavailable, match="23 features were asked for and 20 came; the service lists OBJECTID 7, 9, 21"
    ):
        source.read(PARCELS, shape, KeyRange(None, None))


def test_a_feature_that_was_deleted_meanwhile_is_left_out(slept: Slept) -> None:
    service = ArcGis(features(23), limit=1000, heavy=1000)
    source = serve(service, slept)
    shape, rows = source.schema(PARCELS), list(service.rows)
    service.after_ids = lambda: service.rows.remove(rows[4])
    rows_read = source.read(PARCELS, shape, KeyRange(None, None)).frame()
    assert rows_read["PIN"].to_list() == [f"P{n:03}" for n in range(23) if n != 4]


def test_features_that_share_an_object_id_come_once_each(slept: Slept) -> None:
    rows = features(10)
    for row, number in zip(rows, (1, 2, 3, 4, 4, 4, 5, 6, 7, 8), strict=True):
        row["OBJECTID"] = number
    service = ArcGis(rows, limit=4, heavy=1000)
    parts = whole(serve(service, slept), PARCELS, 5)
    assert pl.concat(parts)["PIN"].to_list() == [f"P{n:03}" for n in range(10)]
    assert len(parts) == 2


def test_an_incomplete_list_of_ids_fails_the_cut(slept: Slept) -> None:
    service = ArcGis(features(12), limit=1000, heavy=1000)
    service.told_ids = 5
    with pytest.raises(SourceUnavailable, match="counts 12 features and gives 5 object ids"):
        serve(service, slept).cut(PARCELS, 10)


def test_attributes_in_other_capitals_are_found_and_a_value_that_cannot_be_is_a_fault(slept: Slept) -> None:
    rows = features(4)
    rows[1]["EDITED"] = 569_693_952_000_000  # in the year 20023
    rows[2]["VALUE"] = float("nan")
    service = ArcGis(rows, limit=1000, heavy=1000)
    service.rename = str.lower
    frame = pl.concat(whole(serve(service, slept), PARCELS, 10))
    assert frame["PIN"].to_list() == ["P000", "P001", "P002", "P003"]
    assert frame["VALUE"].to_list() == ["0.5", "1.5", None, "3.5"]
    assert frame["EDITED"][1] is None
    assert frame[VALUE_FAULTS][1].startswith("EDITED\tEDITED cannot be read: 569693952000000 milliseconds after 1970")
    assert frame[VALUE_FAULTS].null_count() == 3


@pytest.mark.parametrize(
    ("rings", "fault"),
    [
        ([[["NaN", "NaN"]] * 4], None),
        ([[[float("nan"), float("nan")]] * 4], None),
        ([[[-120, 47], [-120, float("nan")], [-119, 48], [-120, 47]]], "the shape has a vertex at nan"),
        ([[[-120, 47], [-120, {}], [-119, 48]]], "the shape cannot be read: a coordinate is {}"),
        ([[[-120]]], "the shape cannot be read: list index out of range"),
        (7, "the shape cannot be read: 'int' object is not iterable"),
    ],
)
def test_an_unreadable_geometry_is_a_fault_of_its_row(slept: Slept, rings: Any, fault: str | None) -> None:
    rows = [{**row, "rings": rings if row["OBJECTID"] == 5 else None} for row in features(4)]
    frame = pl.concat(whole(serve(ArcGis(rows, limit=9, heavy=9), slept), PARCELS, 10))
    assert frame[WKB].to_list()[2] is None
    assert frame.height == 4
    said = frame[VALUE_FAULTS][2] if VALUE_FAULTS in frame.columns else None
    assert said == (fault and "\n".join(f"{name}\t{fault}" for name in (WKB, LONGITUDE, LATITUDE)))


def test_a_service_that_ignores_the_reference_system_is_refused(slept: Slept) -> None:
    service = ArcGis(features(4), limit=9, heavy=9)
    service.wkid = 2285
    source = serve(service, slept)
    with pytest.raises(
        Unprocessable, match=r"answers in the spatial reference WKID 2285, though WGS 84 \(4326, degrees\)"
    ):
        source.sample(PARCELS, 2)


def test_a_site_that_answers_202_is_retried(dataset: SocrataSource, socrata: Server, slept: Slept) -> None:
    socrata.faults += [(202, {}, {"message": "processing"})] * 3
    assert dataset.count(PARCELS) == 23
    assert len(slept) == 3


def test_numbers_of_a_dataset_are_written_in_digits(slept: Slept) -> None:
    server = Server(
        Socrata([{":id": "a", "pin": "1", "value": "1.0E5"}, {":id": "b", "pin": "2", "value": "0.50"}]).answer
    )
    source = SocrataSource(server.start(), {"parcels": "abcd-1234"}, None, sleep=slept)
    assert pl.concat(whole(source, PARCELS, 5))["value"].to_list() == ["100000", "0.50"]


def test_a_server_that_stays_busy_is_given_up(dataset: SocrataSource, socrata: Server, slept: Slept) -> None:
    socrata.faults += [(429, {}, b"")] * MAX_TRIES
    with pytest.raises(SourceUnavailable, match=f"429 .asked {MAX_TRIES} times"):
        dataset.count(PARCELS)
    socrata.faults = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(SourceUnavailable, match="asks to wait 3600 seconds"):
        dataset.count(PARCELS)
    assert max(slept) <= 60


def test_a_server_that_fails_midway_fails_the_read(layer: ArcGisSource, arcgis: Server) -> None:
    shape = layer.schema(PARCELS)
    layer.count(PARCELS)
    arcgis.faults += [(200, {"Declared-Length": "999"}, b'{"objectIds": [1, 2')] * MAX_TRIES
    with pytest.raises(SourceUnavailable, match=f"asked {MAX_TRIES} times"):
        layer.read(PARCELS, shape, KeyRange(None, None))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": 498, "message": "Invalid token."}}, r"asks for a valid token \(498: Invalid token\)"),
        ({"error": {"code": 400, "message": "Invalid or missing input parameters."}}, r"input parameters \(400\)"),
    ],
)
def test_a_fault_inside_an_answer_of_200_is_a_fault(
    layer: ArcGisSource, arcgis: Server, slept: Slept, body: Any, said: str
) -> None:
    arcgis.faults.append((200, {}, body))
    with pytest.raises(SourceUnavailable, match=said):
        layer.count(PARCELS)
    assert slept == []


def test_a_redirect_is_not_followed(layer: ArcGisSource, arcgis: Server) -> None:
    arcgis.faults.append((302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""))
    with pytest.raises(SourceUnavailable, match="redirects elsewhere"):
        layer.schema(PARCELS)


def test_credentials_travel_in_headers_and_stand_in_no_address_and_no_message(
    layer: ArcGisSource, arcgis: Server, dataset: SocrataSource, socrata: Server
) -> None:
    layer.count(PARCELS)
    dataset.count(PARCELS)
    assert arcgis.headers[-1]["X-Esri-Authorization"] == f"Bearer {TOKEN}"
    assert socrata.headers[-1]["X-App-Token"] == TOKEN
    assert TOKEN not in json.dumps(arcgis.requests + socrata.requests)
    socrata.faults.append((403, {}, {"message": "permission denied"}))
    with pytest.raises(SourceUnavailable) as refused:
        dataset.count(PARCELS)
    assert TOKEN not in refused.value.detail
    assert refused.value.__cause__ is None


def test_a_dropped_field_is_not_in_the_schema(slept: Slept) -> None:
    service = ArcGis(features(2))
    server = Server(service.answer)
    address = f"{server.start()}/x/FeatureServer"
    try:
        before = ArcGisSource(address, {"parcels": 0}, None, sleep=slept).schema(PARCELS).columns
        service.fields = [item for item in service.fields if item["name"] != "VALUE"]
        service.fields[1]["type"] = "esriFieldTypeInteger"
        after = ArcGisSource(address, {"parcels": 0}, None, sleep=slept).schema(PARCELS).columns
    finally:
        server.stop()
    assert set(before) - set(after) == {"VALUE"}
    assert before["PIN"] != after["PIN"]


def test_an_empty_layer_has_its_columns(slept: Slept) -> None:
    server = Server(ArcGis([]).answer)
    source = ArcGisSource(f"{server.start()}/x/FeatureServer", {"parcels": 0}, None, sleep=slept)
    try:
        (frame,) = whole(source, PARCELS, 10)
        assert source.watermark(PARCELS, "EDITED") is None
    finally:
        server.stop()
    assert frame.columns == ["OBJECTID", "PIN", "VALUE", "EDITED", WKB, LONGITUDE, LATITUDE]


def test_each_source_gives_reasons_for_missing_abilities(layer: ArcGisSource, dataset: SocrataSource) -> None:
    for source in (layer, dataset):
        assert source.capabilities.can(Ability.WATERMARK)
        assert not source.capabilities.can(Ability.CHANGE_TRACKING)
        for refused in (SourceTable(None, "SELECT 1", ("x",)), SourceTable("roads", None, ("x",)),
                        SourceTable("parcels", None, ("x",), ChangedSince(1))):  # fmt: skip
            with pytest.raises(Unprocessable):
                source.count(refused)
        with pytest.raises(Unprocessable):
            source.changes_since(PARCELS, 1)


@pytest.mark.parametrize(
    ("reference", "shape"),
    [
        ({"wkid": 102100, "latestWkid": 3857}, {"x": -13_636_637.6, "y": 6_024_072.1}),
        ({"wkid": 4269}, {"x": -122.5, "y": 47.5}),
        ({}, {"x": -122.5, "y": 47.5}),
    ],
)
def test_an_answer_in_a_supported_system_is_converted_to_degrees(
    reference: dict[str, int], shape: dict[str, float]
) -> None:
    answer = {"spatialReference": reference, "features": [{"geometry": shape}]}
    convert_to_degrees(answer, "parcels")
    result = answer["features"][0]["geometry"]  # type: ignore[index]
    assert (result["x"], result["y"]) == pytest.approx((-122.5, 47.5), abs=1e-4)
    polygon = {"spatialReference": {"wkid": 3857}, "features": [{"geometry": {"rings": [[[0, 0, 7], ["NaN", 1]]]}}]}
    convert_to_degrees(polygon, "parcels")
    assert polygon["features"] == [{"geometry": {"rings": [[(0.0, 0.0), ["NaN", 1]]]}}]


@pytest.mark.parametrize("reference", [{"wkid": 2285}, {"wkt": 'PROJCS["County Grid",GEOGCS["x"]]'}])
def test_an_answer_in_another_system_is_refused_by_its_name(reference: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable, match=r"WKID 2285|County Grid"):
        convert_to_degrees({"spatialReference": reference, "features": [{"geometry": {"x": 1, "y": 2}}]}, "parcels")
    convert_to_degrees({"spatialReference": reference, "features": [{"geometry": None}]}, "parcels")
