"""Asking for exports: what is taken, what is refused, and who may look."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from functions.gis_export.domain.formats import FORMATS
from functions.gis_export.domain.layer_file import FileLayer
from functions.gis_export.domain.shapes import LayerPart
from functions.gis_export.domain.windows import Window
from functions.gis_export.repository import rows
from functions.gis_export.repository.selections import Selection
from functions.gis_export.tasks import handler as task
from shared.access import Role
from shared.db import copying, unit_of_work
from shared.db.models import County
from shared.layers import STATIC_LAYERS
from tests.gateway import claims_of
from tests.integration.gis_export.conftest import COUNTY, add_county
from tests.integration.gis_export.exporting import ALL, exported, look, request, submitted
from tests.job_cloud import run_task

PARCELS = {"layers": ["parcels"], "format": "geopackage"}


def ring(positions: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [positions]}


pytestmark = pytest.mark.usefixtures("county")


def test_a_request_is_answered_with_a_job_and_where_to_look_for_it() -> None:
    answer = request(PARCELS)
    assert answer.status == 202
    assert answer.body["kind"] == "gis_export"
    assert answer.body["status"] == "pending"
    assert answer.headers["location"] == f"/v1/counties/{COUNTY}/gis-exports/{answer.body['id']}"
    assert look(answer.body["id"]).body["links"]["download"].endswith("/download")


def test_the_same_idempotency_key_is_the_same_job() -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = request(PARCELS, headers=headers), request(PARCELS, headers=headers)
    other = request({**PARCELS, "format": "geojson"}, headers=headers)
    assert first.body["id"] == second.body["id"]
    assert (other.status, other.body["type"]) == (422, "urn:terrafusion:problem:idempotency-key-reused")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"format": "geopackage"}, "/body/layers"),
        ({**PARCELS, "layers": []}, "/body/layers"),
        ({**PARCELS, "layers": ["parcels", "parcels"]}, "/body/layers"),
        ({**PARCELS, "layers": ["roads"]}, "/body/layers/0"),
        ({**PARCELS, "format": "dxf"}, "/body/format"),
        ({**PARCELS, "bbox": [-122, 48, -121, 47]}, "/body/bbox"),
        ({**PARCELS, "bbox": [-1220, 47, -121, 48]}, "/body/bbox"),
        ({**PARCELS, "bbox": [-122, 47, -121]}, "/body/bbox/3"),
        ({**PARCELS, "bbox": "-122,47,-121,48"}, "/body/bbox"),
        ({**PARCELS, "crs": "WGS84"}, "/body/crs"),
        ({**PARCELS, "crs": "EPSG:4326; DROP TABLE jobs"}, "/body/crs"),
        ({**PARCELS, "crs": "EPSG:999999"}, "/body/crs"),
        ({**PARCELS, "crs": "EPSG:5703"}, "/body/crs"),
        ({**PARCELS, "crs": "EPSG:4978"}, "/body/crs"),
        ({**PARCELS, "format": "geojson", "crs": "EPSG:3857"}, "/body"),
        ({**PARCELS, "format": "kml", "crs": "EPSG:2926"}, "/body"),
        ({**PARCELS, "colour": "red"}, "/body/colour"),
        ({**PARCELS, "bbox": [47, -122, 48, -121]}, "/body/bbox"),
        ({**PARCELS, "area": ring([[-122, 47]])}, "/body/area/Polygon/coordinates/0"),
        ({**PARCELS, "area": ring([[-122, 47]] * 4)}, "/body/area/Polygon/coordinates/0"),
        (
            {**PARCELS, "area": ring([[-122, 47], [-121, 47], [-121, 48], [-122, 48]])},
            "/body/area/Polygon/coordinates/0",
        ),
        ({**PARCELS, "area": ring([[-122, 47], [-121, 48], [-121, 47], [-122, 48], [-122, 47]])}, "/body/area"),
        ({**PARCELS, "area": ring([[47, -122], [48, -122], [48, -121], [47, -122]])}, None),
        ({**PARCELS, "area": {"type": "Point", "coordinates": [-122, 47]}}, "/body/area"),
        ({**PARCELS, "filter": "owner_name = 'A'"}, "/body/filter"),
        ({**PARCELS, "filter": "year_built = 'A'"}, "/body/filter"),
        ({**PARCELS, "filter": "year_built >"}, "/body/filter"),
        ({**PARCELS, "filter": "(" * 2000 + "year_built = 1" + ")" * 2000}, "/body/filter"),
        ({**PARCELS, "filter": {"op": "=", "args": [{"property": "owner"}, 1]}}, "/body/filter/args/0"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_place(body: dict[str, Any], pointer: str | None) -> None:
    answer = request(body)
    assert answer.status == 422, answer.body
    assert pointer is None or [error["pointer"] for error in answer.body["errors"]] == [pointer]


def test_a_reference_system_of_another_part_of_the_world_fails_the_job() -> None:
    job_id = submitted({**PARCELS, "crs": "EPSG:27700"})
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "failed"}
    error = look(job_id).body["error"]
    assert error["type"] == "crs-of-another-place"
    assert "British National Grid" in error["detail"]


@pytest.mark.parametrize("what", ["/download", "/results"])
def test_nothing_can_be_taken_before_the_job_has_succeeded(what: str) -> None:
    answer = look(submitted(PARCELS), what)
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:job-not-succeeded")


def test_the_download_is_a_redirect_that_names_the_file(tmp_path: Path) -> None:
    path, results = exported(PARCELS, tmp_path)
    assert path.name == results["file"]["filename"]
    assert path.name.startswith("king_wa-parcels-20")


def test_a_task_that_runs_again_leaves_the_job_as_it_was(tmp_path: Path) -> None:
    job_id = submitted(PARCELS)
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "succeeded"}
    before = look(job_id).body
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "succeeded"}
    assert look(job_id).body == before


def test_progress_tells_how_many_features_are_written() -> None:
    job_id = submitted(PARCELS)
    run_task(task, COUNTY, "gis_export", job_id)
    assert look(job_id).body["progress"]["step"] == "parcels"
    assert look(job_id).body["progress"]["done"] == 10  # one of them lies nowhere on earth


def test_another_countys_job_is_not_there() -> None:
    add_county("other_wa")
    job_id = submitted(PARCELS)
    run_task(task, COUNTY, "gis_export", job_id)
    both = claims_of(counties=("king_wa", "other_wa"))
    for what in ("", "/results", "/download"):
        assert look(job_id, what, county_id="other_wa", claims=both).status == 404
        assert look(job_id, what, claims=claims_of(counties=("other_wa",))).status == 403


def test_an_id_that_is_none_is_refused() -> None:
    assert look("7").status == 422
    assert look("00000000-0000-4000-8000-000000000000", "/download").status == 404


@pytest.mark.parametrize(
    ("role", "may_run", "may_look"),
    [
        (Role.ASSESSOR, True, True),
        (Role.REPORTING_STAFF, True, True),
        (Role.VALUATION_STAFF, False, False),
        (Role.AUDITOR, False, True),
    ],
)
def test_roles_may_do_what_the_table_says(role: Role, may_run: bool, may_look: bool) -> None:
    assert (request(PARCELS, claims=claims_of(role)).status == 202) == may_run
    assert (look(submitted(PARCELS), claims=claims_of(role)).status == 200) == may_look


def test_a_county_that_is_not_onboarded_is_not_found() -> None:
    answer = request(PARCELS, county_id="nowhere_wa", claims=claims_of(counties=("nowhere_wa",)))
    assert answer.status == 404, (ALL, answer.body)


def test_a_failure_in_the_middle_of_the_stream_leaves_no_connection_half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PART", 1)
    monkeypatch.setattr(copying, "_BLOCK", 400)
    selection = Selection(COUNTY, STATIC_LAYERS["parcels"], Window(None, None))
    columns = FileLayer.of(selection.layer, LayerPart("point", "Point"), FORMATS["geopackage"]).columns

    def fail_in_the_middle() -> None:
        with unit_of_work(COUNTY) as connection:
            for _ in rows.stream(connection, selection, columns):
                raise OSError("no space left on the device")

    with pytest.raises(OSError, match="no space"):
        fail_in_the_middle()
    for _ in range(3):
        with unit_of_work(COUNTY) as connection:
            assert connection.scalar(text("SELECT count(*) FROM properties_operational")) == 13


def configure(**limits: Any) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"plugin_settings": {"gis_export": limits}}))


@pytest.mark.parametrize(
    ("limits", "body", "pointer"),
    [
        ({"formats": ["csv"]}, PARCELS, "/body/format"),
        ({"crs": ["EPSG:2926"]}, PARCELS, "/body/crs"),
        ({"max_sq_km": 100}, PARCELS, "/body/bbox"),
        ({"max_sq_km": 100}, {**PARCELS, "bbox": [-123, 47, -122, 48]}, "/body/bbox"),
        (
            {"max_sq_km": 100},
            {**PARCELS, "area": ring([[-123, 47], [-122, 47], [-122, 48], [-123, 47]])},
            "/body/area",
        ),
        ({"max_rows": 4}, {**PARCELS, "layers": ["sales", "parcels"]}, "/body/layers/1"),
    ],
)
def test_the_countys_own_limits_hold(limits: dict[str, Any], body: dict[str, Any], pointer: str) -> None:
    configure(**limits)
    answer = request(body)
    assert answer.status == 422, answer.body
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


def test_what_keeps_to_the_countys_limits_is_taken() -> None:
    configure(formats=["geopackage"], crs=["OGC:CRS84"], max_sq_km=100, max_rows=9)
    assert request({**PARCELS, "bbox": [-122.01, 47.2, -122.0, 47.21]}).status == 202


def test_rows_that_came_after_the_request_fail_the_job() -> None:
    job_id = submitted(PARCELS)
    configure(max_rows=3)
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "failed"}
    assert look(job_id).body["error"]["type"] == "export-too-large"


def test_a_layer_is_for_those_who_may_see_what_it_shows(tmp_path: Path) -> None:
    values = {"layers": ["values"], "format": "geopackage"}
    reporting = claims_of(Role.REPORTING_STAFF)
    refused = request(values, claims=reporting)
    assert (refused.status, refused.body["type"]) == (403, "urn:terrafusion:problem:permission-missing")
    job_id = submitted(values)
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "succeeded"}
    assert look(job_id, "/download", claims=reporting).status == 403
    assert look(job_id, "/download").status == 303
