"""Files that a job made, and the address from which its caller takes one."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared import storage
from shared.jobs.kind import AnyJobKind
from shared.jobs.lifecycle import lost, results_as
from shared.jobs.task import RunningJob
from shared.problems import NotFound
from shared.schemas import Schema


class StoredFile(Schema):
    """A file in a job's folder; `filename` is what the caller's computer calls it."""

    filename: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    content_type: str
    size_bytes: Annotated[int, Field(ge=0)]


class _ResultWithFile(BaseModel):
    """The part of a job's results that names its file; the rest is the module's own."""

    model_config = ConfigDict(extra="ignore")

    file: StoredFile


def store_file(job: RunningJob, path: Path, filename: str, content_type: str) -> StoredFile:
    """Put a file into the job's folder, where `download_url` finds it by the results' field `file`."""
    stored = StoredFile(filename=filename, content_type=content_type, size_bytes=path.stat().st_size)
    storage.put_file(job.key(filename), path, content_type)
    return stored


def download_url(county_id: str, kind: AnyJobKind, job_id: UUID) -> str:
    """A signed address of the file that a job made.

    Raises NotFound for an unknown job, Conflict (409) while it has not succeeded.
    """
    return file_address(county_id, job_id, results_as(_ResultWithFile, county_id, kind.name, job_id).file)


def file_address(county_id: str, job_id: UUID, file: StoredFile) -> str:
    """A signed address of one of the files that a job made. Raises Gone where it was lost since."""
    key = storage.county_key(county_id, "jobs", str(job_id), file.filename)
    try:
        size = storage.find(key).size
    except NotFound as error:
        raise lost("files") from error
    if size != file.size_bytes:
        raise lost("files")
    return storage.signed_url(key, file.filename, file.content_type)
