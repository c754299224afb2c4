"""Layers loaded, version by version, from files good and bad."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import func, select

from functions.districts.handler import handler
from shared.db import unit_of_work
from shared.db.models import AuditEvent, District, DistrictLayerVersion
from tests.district_county import LAYER, SOUTH, STEP, STEPS, WEST, geojson, grid, ids_at, load, loaded, request, send
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY
from tests.job_cloud import run_partitioned

pytestmark = pytest.mark.usefixtures("county")
MIDDLE = (WEST + STEP / 2, SOUTH + STEP / 2)


def layer(name: str = "fire", method: str = "GET", **options: Any) -> Answer:
    return call(handler, method, LAYER, path={"county_id": COUNTY, "layer": name}, **options)


def stored() -> list[tuple[str, str, str | None]]:
    """Every feature's id and days."""
    with unit_of_work(COUNTY) as connection:
        rows = connection.execute(
            select(District.district_id, District.valid_from, District.valid_to).order_by(
                District.district_id, District.valid_from
            )
        )
        return [(row[0], str(row[1]), None if row[2] is None else str(row[2])) for row in rows]


def test_a_layer_has_versions_by_day_and_days_that_passed_keep_their_districts() -> None:
    send(geojson(grid()))
    first = loaded(valid_from="2024-01-01")
    assert first["features"] == {"added": 6, "changed": 0, "removed": 0, "unchanged": 0, "kept": 0}

    shapes = grid()
    del shapes["D05"]
    shapes["D00"] = shapely.box(WEST, SOUTH, WEST + 2 * STEP, SOUTH + STEP / 2)
    shapes["D06"] = shapely.box(WEST + 3 * STEP, SOUTH, WEST + 4 * STEP, SOUTH + STEP)
    send(geojson(shapes))
    second = loaded(valid_from="2025-01-01")

    assert second["features"] == {"added": 1, "changed": 1, "removed": 1, "unchanged": 4, "kept": 0}
    assert second["version"] == 2
    assert [row for row in stored() if row[0] in ("D00", "D01", "D05", "D06")] == [
        ("D00", "2024-01-01", "2025-01-01"),
        ("D00", "2025-01-01", None),
        ("D01", "2024-01-01", None),
        ("D05", "2024-01-01", "2025-01-01"),
        ("D06", "2025-01-01", None),
    ]
    place = (WEST + STEP / 2, SOUTH + STEP * 0.75)
    assert ids_at(*place) == []
    assert ids_at(*place, date="2025-01-01") == []
    assert ids_at(*place, date="2024-12-31") == ["D00"]
    assert ids_at(*place, date="2023-12-31") == []


def test_the_same_file_twice_changes_nothing_whatever_vertex_its_shapes_begin_with() -> None:
    send(geojson(grid()))
    loaded(valid_from="2024-01-01")
    turned = {
        id_: shapely.Polygon([*shape.exterior.coords[2:-1], *shape.exterior.coords[:3]][::-1])
        for id_, shape in grid().items()
    }
    send(geojson(turned))
    again = loaded(valid_from="2025-01-01")

    assert not again["changed"]
    assert again["version"] == 1
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(select(func.count()).select_from(DistrictLayerVersion)) == 1
        actions = connection.scalars(select(AuditEvent.action).where(AuditEvent.action.like("district_layer%"))).all()
    assert actions == ["district_layer.loaded"]


def test_a_version_of_the_same_day_corrects_the_one_before_and_an_earlier_day_is_refused() -> None:
    send(geojson(grid()))
    loaded(valid_from="2024-01-01")
    shapes = grid()
    shapes["D00"] = shapely.box(WEST, SOUTH, WEST + STEP / 4, SOUTH + STEP)
    send(geojson(shapes))
    loaded(valid_from="2024-01-01")

    assert ids_at(WEST + STEP / 2, SOUTH + STEP / 2, date="2024-06-01") == []
    assert [row for row in stored() if row[0] == "D00"] == [("D00", "2024-01-01", None)]
    early = request(valid_from="2023-12-31")
    assert (early.status, early.body["type"].rsplit(":", 1)[-1]) == (409, "valid-from-too-early")
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert request(valid_from=tomorrow).status == 422


def test_a_closed_layer_is_known_for_earlier_days_and_is_opened_by_the_next_load() -> None:
    send(geojson(grid()))
    loaded(valid_from="2024-01-01")
    assert layer(method="DELETE").status == 428
    assert layer(method="DELETE", headers={"If-Match": '"7"'}).status == 412
    closed = layer(method="DELETE", headers={"If-Match": '"1"'}, query={"valid_to": "2025-01-01"})

    assert (closed.status, closed.body["closed_on"], closed.body["features"]) == (200, "2025-01-01", 0)
    assert ids_at(*MIDDLE) == []
    assert ids_at(*MIDDLE, date="2024-12-31") == ["D00"]
    again = loaded(valid_from="2025-06-01")
    assert (again["version"], again["features"]["added"]) == (3, 6)
    shown = layer().body
    assert shown["closed_on"] is None
    assert [version["version"] for version in shown["versions"]] == [3, 2, 1]
    assert ids_at(*MIDDLE, date="2025-03-01") == []


def test_fields_are_typed_and_kept_apart_from_what_every_feature_has() -> None:
    send(geojson(grid(1, 1), Name="other", levy=1.25, precinct=7, since="2011-04-05", closed=None))
    loaded()
    fields = {field["title"]: (field["name"], field["kind"]) for field in layer().body["fields"]}

    assert fields["Name"] == ("name_2", "text")
    assert fields["levy"] == ("levy", "real")
    assert fields["precinct"] == ("precinct", "integer")
    assert fields["since"] == ("since", "date")


def test_overlaps_gaps_and_slivers_are_found_with_area_and_place() -> None:
    shapes = grid(3, 3)
    del shapes["D04"]  # surrounded
    shapes["D09"] = shapely.box(WEST - STEP, SOUTH, WEST + STEP / 2, SOUTH + STEP)
    shapes["D02"] = shapely.box(WEST + 2 * STEP - 1e-6, SOUTH, WEST + 3 * STEP, SOUTH + STEP)
    send(geojson(shapes))
    topology = loaded()["topology"]

    assert topology["checked"]
    assert (topology["gap_count"], topology["overlap_count"]) == (1, 2)
    [gap] = topology["gaps"]
    # a tenth of a degree of longitude by one of latitude at 47.35 degrees north is 7.55 by 11.12 km
    assert gap["area_sqft"] == pytest.approx(7.55e3 * 11.12e3 / 0.3048**2, rel=0.002)
    assert shapely.box(WEST + STEP, SOUTH + STEP, WEST + 2 * STEP, SOUTH + 2 * STEP).contains(
        shapely.Point(gap["longitude"], gap["latitude"])
    )
    large, small = topology["overlaps"]
    assert ({large["first"], large["second"]}, large["sliver"]) == ({"D00", "D09"}, False)
    assert ({small["first"], small["second"]}, small["sliver"]) == ({"D01", "D02"}, True)


def test_shapes_that_are_not_valid_are_repaired_or_rejected_and_every_outcome_is_reported() -> None:
    shapes = grid()
    shapes["bowtie"] = shapely.Polygon([(-122.0, 47), (-121.9, 47.1), (-121.9, 47), (-122.0, 47.1)])
    shapes["line"] = shapely.Polygon([(-121.0, 47), (-121.1, 47.1), (-121.0, 47)])
    shapes["none"] = None
    shapes["far"] = shapely.box(-122, 47, -100, 48)
    send(geojson(shapes))
    results = loaded()

    assert results["features"]["added"] == 7
    [repair] = results["repaired"]
    assert repair["district_id"] == "bowtie"
    assert "Self-intersection" in repair["reason"]
    assert repair["area_sqft_after"] > 1e8 > repair["area_sqft_before"]
    rejected = {rejection["district_id"]: rejection for rejection in results["rejected"]}
    assert set(rejected) == {"line", "none", "far"}
    assert rejected["none"] == {"district_id": "none", "row": 9, "reason": "the shape is missing"}
    assert "spans 22 degrees" in rejected["far"]["reason"]


def test_a_feature_whose_shape_goes_bad_keeps_its_former_version() -> None:
    send(geojson(grid()))
    loaded(valid_from="2024-01-01")
    send(geojson({**grid(), "D00": None}))
    results = loaded(valid_from="2025-01-01")

    assert results["features"]["kept"] == 1
    assert not results["changed"]
    assert ids_at(*MIDDLE) == ["D00"]


@pytest.mark.parametrize(
    ("content", "values", "slug"),
    [
        (geojson({}), {}, "source-empty"),
        (geojson({"D01": None}), {}, "source-without-shapes"),
        (
            geojson({"D01": shapely.box(0, 0, 1, 1), "D01#2": shapely.box(1, 0, 2, 1)}),
            {},
            "feature-identifier-repeated",
        ),
        (geojson(grid()), {"key": "nothing"}, "source-column-missing"),
        (b"no GeoJSON", {}, "file-unreadable"),
        (geojson(grid(), id=None), {}, "feature-without-identifier"),
    ],
)
def test_a_source_that_is_no_layer_fails_the_load_and_leaves_the_former_one(
    content: bytes, values: dict[str, Any], slug: str
) -> None:
    send(geojson(grid()))
    loaded(valid_from="2024-01-01")
    before = stored()
    send(content)
    job = load(valid_from="2025-01-01", **values)

    assert (job["status"], job["error"]["type"]) == ("failed", slug)
    assert stored() == before


def test_repeated_identifiers_are_named_with_their_rows() -> None:
    send(geojson({"A": shapely.box(0, 0, 1, 1), "B": shapely.box(1, 0, 2, 1), "A#2": shapely.box(2, 0, 3, 1)}))
    assert "A in rows 1, 3" in load()["error"]["detail"]


def test_lines_and_points_are_layers_too_and_no_lookup_uses_them() -> None:
    send(geojson({"main": shapely.LineString([(WEST, SOUTH), (WEST + 1, SOUTH + 1)])}))
    loaded("mains", kind="other")
    send(geojson({"h1": shapely.MultiPoint([(WEST, SOUTH)])}))
    loaded("hydrants", kind="other")
    send(geojson(grid()))
    loaded("fire")

    assert layer("mains").body["geometry_type"] == "line"
    assert layer("hydrants").body["geometry_type"] == "point"
    assert ids_at(*MIDDLE) == ["D00"]


def test_a_table_with_shapes_as_text_is_read_as_a_file_is() -> None:
    rows = [f'{id_};District {id_};"{shape.wkt}";00{number}' for number, (id_, shape) in enumerate(grid().items())]
    send("\n".join(["id;label;wkt;code", *rows]).encode(), "districts.csv")
    results = loaded(file={"format": "csv", "file": "districts.csv", "delimiter": ";"}, shape="wkt")

    assert results["features"]["added"] == 6
    assert layer().body["fields"] == [{"name": "code", "title": "code", "kind": "text"}]
    assert ids_at(*MIDDLE) == ["D00"]


def test_a_step_that_runs_twice_stores_one_version() -> None:
    send(geojson(grid()))
    answer = request(valid_from="2024-01-01")
    run_partitioned(STEPS, COUNTY, answer.body["id"])
    run_partitioned(STEPS, COUNTY, answer.body["id"])

    assert len(layer().body["versions"]) == 1


def test_a_secret_of_another_county_and_a_caller_who_may_not_manage_are_refused() -> None:
    table = {"kind": "sql", "secret_name": "terrafusion/lucas_oh/gis", "table": "fire"}
    refused = request(source=table)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/body/source/secret_name")
    from shared.access import Role

    body = {"title": "x", "kind": "fire", "key": "id", "source": {**table, "secret_name": f"terrafusion/{COUNTY}/gis"}}
    assert layer(method="PUT", body=body, claims=claims_of(Role.ASSESSOR)).status == 403
