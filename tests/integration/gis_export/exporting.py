"""Asking for an export and taking it, as a client does."""

from pathlib import Path
from typing import Any

from functions.gis_export.handler import handler
from functions.gis_export.tasks import handler as task
from tests.gateway import Answer, call
from tests.integration.gis_export.conftest import COUNTY
from tests.job_cloud import downloaded, run_task

ALL = "/v1/counties/{county_id}/gis-exports"
ONE = ALL + "/{export_id}"


def request(body: object, county_id: str = COUNTY, **options: Any) -> Answer:
    return call(handler, "POST", ALL, path={"county_id": county_id}, body=body, **options)


def look(export_id: str, what: str = "", county_id: str = COUNTY, **options: Any) -> Answer:
    return call(handler, "GET", ONE + what, path={"county_id": county_id, "export_id": export_id}, **options)


def submitted(body: object) -> str:
    answer = request(body)
    assert answer.status == 202, answer.body
    job_id: str = answer.body["id"]
    return job_id


def exported(body: object, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Run an export to its end: its file, and what it says of itself."""
    job_id = submitted(body)
    assert run_task(task, COUNTY, "gis_export", job_id) == {"status": "succeeded"}, look(job_id).body
    results: dict[str, Any] = look(job_id, "/results").body
    path = folder / results["file"]["filename"]
    path.write_bytes(downloaded(look(job_id, "/download")))
    assert path.stat().st_size == results["file"]["size_bytes"]
    return path, results
