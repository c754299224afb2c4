"""A function's room for temporary files is full: the job fails with its reason, and leaves room for the next one."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.gis_export.tasks import handler as task
from tests.gateway import LambdaContext
from tests.integration.gis_export.conftest import COUNTY
from tests.integration.gis_export.exporting import exported, look, submitted
from tests.job_cloud import run_task


@contextmanager
def scratch_of(size: int) -> Iterator[None]:
    """Files of this process end at `size` bytes, as they do where the room for them does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("file_format", ["geojson", "geopackage", "geoparquet"])
def test_a_job_without_room_for_its_file_fails_and_leaves_none(
    file_format: str, county: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    body = {"layers": ["parcels"], "format": file_format}
    job_id = submitted(body)

    with scratch_of(200), pytest.raises(OSError, match=r"(?i)cannot write|sqlite3_exec|too large") as raised:
        run_task(task, COUNTY, "gis_export", job_id)
    assert list(scratch.iterdir()) == []
    failure = {"Error": type(raised.value).__name__, "Cause": ""}  # the machine's Catch
    task({"county_id": COUNTY, "job_id": job_id, "kind": "gis_export", "failure": failure}, LambdaContext())

    failed = look(job_id).body
    assert (failed["status"], failed["error"]["type"]) == ("failed", "task-failed")
    exported(body, tmp_path)
