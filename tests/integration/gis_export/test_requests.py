"""Asking for exports: what is taken, what is refused, and who may look."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from functions.gis_export import repository
from functions.gis_export.domain import reference_systems
from functions.gis_export.domain.layers import LAYERS
from functions.gis_export.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from tests.gateway import claims_of
from tests.integration.gis_export.conftest import COUNTY, add_county
from tests.integration.gis_export.exporting import ALL, exported, look, request, submitted
from tests.job_cloud import run_task

PARCELS = {"layers": ["parcels"], "format": "geopackage"}

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
        ({**PARCELS, "format": "shapefile"}, "/body/format"),
        ({**PARCELS, "bbox": [-121, 47, -122, 48]}, "/body/bbox"),
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
        ({**PARCELS, "colour": "red"}, "/body/colour"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_place(body: dict[str, Any], pointer: str) -> None:
    answer = request(body)
    assert answer.status == 422, answer.body
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


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
    assert look(job_id).body["progress"]["done"] == 9


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
    monkeypatch.setattr(repository, "BLOCK_ROWS", 1)

    def fail(_block: bytes) -> None:
        raise OSError("no space left on the device")

    with pytest.raises(OSError, match="no space"), unit_of_work(COUNTY) as connection:
        repository.stream(connection, COUNTY, LAYERS["parcels"], None, fail)
    for _ in range(3):
        with unit_of_work(COUNTY) as connection:
            assert connection.scalar(text("SELECT count(*) FROM properties_operational")) == 13


def test_the_job_looks_where_the_routes_know_no_reference_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without_geo:
        without_geo.setattr(reference_systems, "find_spec", lambda _: None)
        job_id = submitted({**PARCELS, "crs": "EPSG:5703"})
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "failed"}
    assert look(job_id).body["error"]["type"] == "crs-not-for-maps"
